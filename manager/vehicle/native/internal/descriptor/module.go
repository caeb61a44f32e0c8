package descriptor

import (
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Places of the fields; the structs of module.h grow at their ends only.
const (
	libraryMMS      = 16
	libraryMesos    = 24
	libraryMin      = 32
	libraryCompiler = 40

	moduleName         = 16
	moduleMMS          = 24
	moduleMesos        = 32
	moduleRole         = 40
	moduleVersion      = 48
	moduleAuthor       = 56
	moduleEmail        = 64
	moduleDescription  = 72
	moduleRequirements = 80
	moduleParameters   = 96
	moduleCompatible   = 112
	moduleCreate       = 120
	moduleDestroy      = 128

	requirementSize = 24
	parameterSize   = 40

	roleTableRole = 16
	roleTableSize = 24
)

// Kinds of requirements and flags of parameters.
const (
	requiresModule = iota
	requiresRole
	requiresOptional
	conflicts
	after
)

const (
	parameterRequired = 1 << iota
	parameterSecret
	parameterRepeated
)

// LibraryText is what a library says of itself as a whole.
type LibraryText struct {
	MMSVersion, MesosVersion, MinMesos, Compiler string
	Flaws                                        []string
}

// ReadLibrary decodes the library's own descriptor, or the mark of the C++
// header, which has the same form.
func ReadLibrary(m Memory, addr uint64) LibraryText {
	var l LibraryText
	r, ok := open(m, addr, 0, &l.Flaws)
	if !ok {
		return l
	}
	l.MMSVersion = r.required(libraryMMS, "mms_version", maxName)
	l.MesosVersion = r.required(libraryMesos, "mesos_version", maxName)
	l.MinMesos, _ = r.optional(libraryMin, "min_mesos", maxName)
	l.Compiler, _ = r.optional(libraryCompiler, "compiler", maxText)
	return l
}

// ReadModule decodes one module. symbol is the name under which the descriptor
// is exported, and symbolSize how large the linker took it for; 0 if unknown.
func ReadModule(m Memory, addr uint64, symbol string, symbolSize uint64) vehicle.Module {
	d := vehicle.Module{Name: symbol}
	r, ok := open(m, addr, symbolSize, &d.Flaws)
	if !ok {
		return d
	}
	if name, given := r.optional(moduleName, "name", maxName); given {
		d.Name = name
		if name == "" {
			r.flaw("name is empty")
		}
	}
	d.MMSVersion = r.required(moduleMMS, "mms_version", maxName)
	d.MesosVersion = r.required(moduleMesos, "mesos_version", maxName)
	d.Role = r.required(moduleRole, "role", maxName)
	d.Version, _ = r.optional(moduleVersion, "version", maxName)
	d.Author, _ = r.optional(moduleAuthor, "author", maxText)
	d.Email, _ = r.optional(moduleEmail, "email", maxText)
	d.Description, _ = r.optional(moduleDescription, "description", maxText)
	readRequirements(r, &d)
	readParameters(r, &d)
	d.Compatible = r.function(moduleCompatible, "compatible")
	if !r.function(moduleCreate, "create") {
		r.flaw("create is null: there is nothing to make an instance with")
	}
	if !r.function(moduleDestroy, "destroy") {
		r.flaw("destroy is null: there is nothing to give an instance back with")
	}
	return d
}

// open reads a descriptor's size and takes it as far as it can be believed.
func open(m Memory, addr, symbolSize uint64, flaws *[]string) (record, bool) {
	r := record{m: m, at: addr, size: headSize, flaws: flaws}
	size := uint64(r.uint32(8))
	switch {
	case size < headSize || size > maxRecord:
		r.flaw("the descriptor says that its size is %d, which is not between %d and %d", size, headSize, maxRecord)
		return r, false
	case symbolSize > 0 && size > symbolSize:
		r.flaw("the descriptor says that its size is %d, and its symbol has %d bytes", size, symbolSize)
		return r, false
	}
	if known := min(size, moduleDestroy+8); exactly(m, addr, int(known)) == nil {
		r.flaw("the descriptor of %d bytes reaches beyond the library", size)
		return r, false
	}
	r.size = size
	return r, true
}

func readRequirements(r record, d *vehicle.Module) {
	const field = "requirements"
	for i, x := range r.array(moduleRequirements, moduleRequirements+8, moduleRequirements+12, field, requirementSize) {
		kind := x.uint32(0)
		target := x.required(8, fmt.Sprintf("%s[%d]: target", field, i), maxName)
		constraint, _ := x.optional(16, fmt.Sprintf("%s[%d]: constraint", field, i), maxName)
		switch kind {
		case requiresModule:
			d.Requires = append(d.Requires, facade.Requirement{Module: target, Version: constraint})
		case requiresRole:
			d.Requires = append(d.Requires, facade.Requirement{Role: target, Version: constraint})
		case requiresOptional:
			d.Requires = append(d.Requires, facade.Requirement{Module: target, Version: constraint, Optional: true})
		case conflicts:
			d.Conflicts = append(d.Conflicts, facade.Conflict{Module: target, Version: constraint})
		case after:
			if constraint != "" {
				x.flaw("%s[%d]: an order has no use for the constraint %q", field, i, constraint)
			}
			d.After = append(d.After, target)
		default:
			x.flaw("%s[%d]: there is no kind %d", field, i, kind)
		}
	}
}

func readParameters(r record, d *vehicle.Module) {
	const field = "parameters"
	if !r.has(moduleParameters, 8) {
		return
	}
	value, outside, _ := r.m.Pointer(r.at + moduleParameters)
	d.HasSchema = value != 0 || outside
	for i, x := range r.array(moduleParameters, moduleParameters+8, moduleParameters+12, field, parameterSize) {
		of := func(part string) string { return fmt.Sprintf("%s[%d]: %s", field, i, part) }
		flags := x.uint32(0)
		spec := facade.ParameterSpec{
			Key: x.required(8, of("key"), maxName), Type: x.required(16, of("type"), maxName),
			Required: flags&parameterRequired != 0, Secret: flags&parameterSecret != 0, Repeated: flags&parameterRepeated != 0,
		}
		spec.Default, _ = x.optional(24, of("default_value"), maxText)
		spec.Doc, _ = x.optional(32, of("doc"), maxText)
		if unknown := flags &^ (parameterRequired | parameterSecret | parameterRepeated); unknown != 0 {
			x.flaw("%s[%d]: there are no flags %#x", field, i, unknown)
		}
		if !slices.Contains(parameterTypes(), spec.Type) {
			x.flaw("%s[%d]: there is no type %q", field, i, spec.Type)
		}
		d.Parameters = append(d.Parameters, spec)
	}
}

func parameterTypes() []string {
	return []string{"string", "secret", "bool", "int", "uint", "float", "duration", "bytes"}
}

package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/descriptor"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/entered"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/leash"
)

// Open implements vehicle.Vehicle. The descriptors in memory have to say what the
// description says; a library that changes its mind while it is opened is refused.
func (v *Vehicle) Open(ctx context.Context, f vehicle.File, d vehicle.Description) (vehicle.Library, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entered.Guard()
	o, err := v.open(f)
	if err != nil {
		return nil, err
	}
	modules, places := o.modules()
	if difference := compare(d.Modules, modules); difference != "" {
		return nil, errors.Join(&vehicle.Refusal{Rule: finding.LibraryOpens, Problem: "the library says something else once it is open: " + difference,
			Mend: "fill descriptors with constants only"}, o.close())
	}
	return newLibrary(v, o, modules, places), nil
}

// Describe implements vehicle.Vehicle. A library that breaks while it is opened
// ends the process by its signal. The library is closed again, so that what it
// does then is tried as well. What it forks off ends with the process.
func (v *Vehicle) Describe(f vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	leash.Hold()
	defer PlainSignals()()
	o, err := v.open(f)
	if err != nil {
		return d, err
	}
	modules, _ := o.modules()
	switch difference := compare(d.Modules, modules); {
	case !d.Complete:
		d.Modules, d.Complete = modules, true
	case difference != "":
		err = &vehicle.Refusal{Rule: finding.LibraryOpens, Problem: "the library says something else once it is open: " + difference,
			Mend: "fill descriptors with constants only"}
	}
	return d, errors.Join(err, o.close())
}

// opened is a library in memory.
type opened struct {
	path    string
	handle  handle
	reading reading
	base    uint64
	step    entered.Note
	code    entered.Note
}

// open opens the file as the loader does, which runs its initialisers.
func (v *Vehicle) open(f vehicle.File) (*opened, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("open the library %s: %w", f.Path, err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	r, mine, err := read(file, f.Size)
	if err != nil {
		return nil, err
	}
	if !mine {
		return nil, fmt.Errorf("the library %s is a Go plugin and no native one", f.Path)
	}
	noCXX := v.runtimes.open()
	o := &opened{path: f.Path, reading: r, step: entered.Step("an initialiser or finaliser of library " + f.Path)}
	if o.handle, err = openLocal(f.Path, o.step); err != nil {
		o.step.Free()
		problem := "the dynamic loader refuses it: " + err.Error()
		if noCXX != nil {
			problem += " (nor is there a C++ library: " + noCXX.Error() + ")"
		}
		return nil, &vehicle.Refusal{Rule: finding.LibraryOpens, Problem: problem, Mend: "install or build what the loader misses", Cause: err}
	}
	o.base = o.handle.base()
	start, end := r.image.Span()
	o.code = entered.Code(uintptr(o.base+start), uintptr(o.base+end), codeLabel(f.Path, r.description.Modules))
	return o, nil
}

// maxLabelled bounds how many modules the daemon's last words name.
const maxLabelled = 8

// codeLabel names a library and the modules in it: a call of an object leaves no
// note, so the modules of the library are who it can have been.
func codeLabel(path string, modules []vehicle.Module) string {
	var names []string
	for _, m := range modules[:min(len(modules), maxLabelled)] {
		names = append(names, m.Name)
	}
	if len(modules) > maxLabelled {
		names = append(names, "…")
	}
	switch len(modules) {
	case 0:
		return "code of library " + path
	case 1:
		return "module " + names[0] + ", code of library " + path
	default:
		return "one of the modules " + strings.Join(names, ", ") + ", code of library " + path
	}
}

// modules decodes the descriptors in memory. Where the file already has them, no
// others are looked for.
func (o *opened) modules() ([]vehicle.Module, []place) {
	memory := newProcess(o.base)
	symbols := o.reading.image.Objects(func(addr, size uint64) bool {
		if size < 16 {
			return false
		}
		if o.reading.description.Complete && descriptor.KindOf(o.reading.image, addr) != descriptor.Module {
			return false
		}
		return descriptor.KindOf(memory, addr) == descriptor.Module
	})
	return readModules(memory, symbols)
}

func (o *opened) close() error {
	err := o.handle.close(o.step)
	o.code.Free()
	o.step.Free()
	if err != nil {
		return fmt.Errorf("close the library %s: %w", o.path, err)
	}
	return nil
}

// compare names the first module in which two descriptions differ; empty if they
// are equal. Both are sorted by name.
func compare(described, found []vehicle.Module) string {
	for i := range min(len(described), len(found)) {
		a, b := described[i], found[i]
		if reflect.DeepEqual(a, b) {
			continue
		}
		if a.Name != b.Name {
			return fmt.Sprintf("module %q is now %q", a.Name, b.Name)
		}
		return fmt.Sprintf("module %q has changed: %s", a.Name, strings.Join(fields(a, b), ", "))
	}
	if len(described) != len(found) {
		return fmt.Sprintf("it has %d modules, and %d were described", len(found), len(described))
	}
	return ""
}

// fields names the fields in which two modules differ.
func fields(a, b vehicle.Module) []string {
	var names []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, x.Type().Field(i).Name)
		}
	}
	return names
}

var (
	_ vehicle.Vehicle   = (*Vehicle)(nil)
	_ descriptor.Memory = (*image.Image)(nil)
	_ descriptor.Memory = process{}
)

package native

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/descriptor"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
)

const maxModules = 4096 // in one library

// reading is what the bytes of one library say.
type reading struct {
	image       *image.Image
	description vehicle.Description
	places      []place // of the modules in description
}

// place is where a module's descriptor is, as an address of the file.
type place struct {
	module  string
	address uint64
}

// Recognise implements vehicle.Vehicle. Files that are no Go plugin are answered
// for, so this vehicle is asked last. With a refusal the description holds as much
// as could be read.
func (v *Vehicle) Recognise(f vehicle.File) (vehicle.Description, bool, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return vehicle.Description{}, true, &vehicle.Refusal{Rule: finding.LibraryFile, Problem: "the file cannot be read: " + err.Error(), Cause: err,
			Mend: "correct its permissions"}
	}
	defer file.Close() //nolint:errcheck // nothing was written
	r, mine, err := read(file, f.Size)
	if err != nil || !mine {
		return r.description, mine, err
	}
	if err := v.resolve(f.Path, r.image); err != nil {
		return r.description, true, err
	}
	return r.description, true, nil
}

// read reads one file. mine is false for a Go plugin.
func read(file io.ReaderAt, size int64) (r reading, mine bool, err error) {
	r.description = vehicle.Description{Vehicle: vehicle.Native}
	prefix := make([]byte, min(max(size, 0), 4096))
	if n, err := file.ReadAt(prefix, 0); n < len(prefix) {
		return r, true, &vehicle.Refusal{Rule: finding.LibraryFile, Problem: fmt.Sprintf("the file cannot be read: %v", err), Cause: err,
			Mend: "see whether it is still being written"}
	}
	if !image.IsELF(prefix) {
		return r, true, notELF(prefix)
	}
	if r.image, err = image.Read(file, size, image.Host()); err != nil {
		var fault *image.Fault
		if !errors.As(err, &fault) {
			return r, true, err
		}
		return r, true, &vehicle.Refusal{Rule: finding.LibraryFormat, Problem: fault.Problem, Mend: fault.Mend}
	}
	r.description.Build = build(r.image, "")
	if plugin, refusal := fromGo(file, r.image); plugin || refusal != nil {
		return r, !plugin, asError(refusal)
	}
	if refusal := r.describe(); refusal != nil {
		return r, true, refusal
	}
	return r, true, nil
}

// asError keeps a nil refusal from becoming an error that is not nil.
func asError(r *vehicle.Refusal) error {
	if r == nil {
		return nil
	}
	return r
}

// describe finds the descriptors by their magic among the exported data, and
// decodes them.
func (r *reading) describe() *vehicle.Refusal {
	found := r.image.Objects(func(addr, size uint64) bool {
		return size >= 16 && descriptor.KindOf(r.image, addr) != descriptor.None
	})
	var library, header *image.Symbol
	var modules []image.Symbol
	for _, s := range found {
		switch descriptor.KindOf(r.image, s.Value) {
		case descriptor.Header:
			header = &s
		case descriptor.Module:
			modules = append(modules, s)
		case descriptor.Library:
			if library != nil && library.Value != s.Value {
				return &vehicle.Refusal{Rule: finding.Handshake, Problem: fmt.Sprintf("the library declares itself twice, as %s and as %s", printable(library.Name), printable(s.Name)),
					Mend: "keep MESOS_MODULE_LIBRARY() in one file of it"}
			}
			library = &s
		}
	}
	hidden := header != nil && r.filledLater()
	if library == nil && len(modules) == 0 && !hidden {
		return foreign(r.image, header != nil)
	}
	if len(modules) > maxModules {
		return &vehicle.Refusal{Rule: finding.LibraryFormat, Problem: fmt.Sprintf("the library declares %d modules, and more than %d are not read", len(modules), maxModules),
			Mend: "split it"}
	}
	d := &r.description
	d.Complete = !hidden
	if refusal := r.readLibrary(library, header); refusal != nil {
		return refusal
	}
	d.Modules, r.places = readModules(r.image, modules)
	return nil
}

func (r *reading) readLibrary(library, header *image.Symbol) *vehicle.Refusal {
	d := &r.description
	if library == nil {
		// Modules of upstream's object form say everything themselves.
		if header != nil {
			d.Build = build(r.image, descriptor.ReadLibrary(r.image, header.Value).Compiler)
		}
		return nil
	}
	text := descriptor.ReadLibrary(r.image, library.Value)
	if len(text.Flaws) > 0 {
		return &vehicle.Refusal{Rule: finding.Metadata, Problem: fmt.Sprintf("the library's own declaration (%s): %s", printable(library.Name), strings.Join(text.Flaws, "; ")),
			Mend: "declare it by MESOS_MODULE_LIBRARY()"}
	}
	d.MMSVersion, d.MesosVersion, d.MinMesos = text.MMSVersion, text.MesosVersion, text.MinMesos
	d.Build = build(r.image, text.Compiler)
	return nil
}

// readModules decodes descriptors, sorted by the modules' names. A name that
// stands twice is a flaw of the later one; one descriptor under two symbols is one
// module.
func readModules(m descriptor.Memory, symbols []image.Symbol) ([]vehicle.Module, []place) {
	slices.SortFunc(symbols, func(a, b image.Symbol) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Name, b.Name))
	})
	symbols = slices.CompactFunc(symbols, func(a, b image.Symbol) bool { return a.Value == b.Value })
	type pair struct {
		module  vehicle.Module
		address uint64
	}
	var all []pair
	for _, s := range symbols {
		all = append(all, pair{descriptor.ReadModule(m, s.Value, printable(s.Name), s.Size), s.Value})
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(a.module.Name, b.module.Name) })
	var modules []vehicle.Module
	var places []place
	for i, x := range all {
		if i > 0 && all[i-1].module.Name == x.module.Name {
			x.module.Flaws = append(x.module.Flaws, "the library declares a module of this name twice")
		}
		modules = append(modules, x.module)
		places = append(places, place{x.module.Name, x.address})
	}
	return modules, places
}

// filledLater reports whether the library exports data without content, as large
// as a descriptor: objects that code of the library fills when it is opened.
func (r *reading) filledLater() bool {
	const descriptorSize = 136
	return len(r.image.Objects(func(addr, size uint64) bool {
		return size >= descriptorSize && len(r.image.Read(addr, 1)) == 0
	})) > 0
}

// build is what is shown about how the library was made, in this order.
func build(im *image.Image, compiler string) []vehicle.Setting {
	var all []vehicle.Setting
	add := func(key, value string) {
		if value = printable(value); value != "" {
			all = append(all, vehicle.Setting{Key: key, Value: value})
		}
	}
	add("compiler", compiler)
	for _, text := range im.Comment() {
		add("toolchain", text)
	}
	add("soname", im.Soname)
	for _, name := range im.Needed {
		add("needs", name)
	}
	for _, text := range versionsNeeded(im) {
		add("needs version", text)
	}
	add("rpath", im.Rpath)
	add("runpath", im.Runpath)
	add("build id", hex.EncodeToString(im.BuildID))
	return all
}

// versionsNeeded is one line per library: its name and the symbol versions.
func versionsNeeded(im *image.Image) []string {
	var lines []string
	last := ""
	for _, need := range im.Needs() {
		if need.Library != last {
			lines = append(lines, need.Library+":")
			last = need.Library
		}
		lines[len(lines)-1] += " " + need.Version
	}
	return lines
}

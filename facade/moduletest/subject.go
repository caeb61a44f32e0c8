package moduletest

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

// File is the path of a built library. A relative one counts from the folder of the
// test's package, as everything in a test does. The test binary opens the library in
// a child process first, as a daemon does, so its TestMain has to call [Main].
type File string

// Subject is what can be put to the test: a Library value, or a built file.
type Subject interface{ facade.Library | File }

// vehicles are those of the daemons. What processes print goes to log.
func vehicles(log *slog.Logger) []vehicle.Vehicle {
	return []vehicle.Vehicle{goplugin.New(""), process.New(process.Options{Logger: log}), native.New()}
}

// describe returns what the library says of its modules. Where a file cannot be
// recognised or opened the result is empty: loading it finds out why.
func (k *Kit) describe() vehicle.Description {
	if k.file == "" {
		return golib.Describe(vehicle.Builtin, k.library)
	}
	path, _, err := manifest.Resolve(manifest.Library{File: string(k.file)}, k.dir, nil)
	if err != nil {
		return vehicle.Description{}
	}
	f, err := file.Look(path, file.Options{AllowWorldWritable: true})
	if err != nil {
		return vehicle.Description{}
	}
	for _, v := range k.vehicles {
		d, ok, err := v.Recognise(f)
		if !ok {
			continue
		}
		if err != nil {
			return vehicle.Description{Vehicle: d.Vehicle}
		}
		if d.Complete {
			return d
		}
		if _, ok := v.(vehicle.Launcher); ok {
			if d, err = v.Describe(f, d); err != nil {
				return vehicle.Description{Vehicle: d.Vehicle}
			}
			return d
		}
		verdicts, err := trial.Run(k.t.Context(), []trial.Request{{File: f, Vehicle: v.Name(), Description: d, Limit: k.o.limits.Open}}, trial.Options{})
		if err != nil || verdicts[0].Err != nil {
			return vehicle.Description{Vehicle: d.Vehicle}
		}
		return verdicts[0].Description
	}
	return vehicle.Description{}
}

// closure adds to the names the modules of the same library that they require, the
// requirers first.
func closure(d vehicle.Description, names []string) []string {
	all := slices.Clone(names)
	for i := 0; i < len(all); i++ {
		for _, r := range moduleIn(d, all[i]).Requires {
			if required := moduleIn(d, r.Module); r.Module != "" && required.Name != "" && !slices.Contains(all, r.Module) {
				all = append(all, r.Module)
			}
		}
	}
	return all
}

// moduleIn returns the description of one module; a name alone is empty if the
// library has no such module.
func moduleIn(d vehicle.Description, name string) vehicle.Module {
	for _, m := range d.Modules {
		if m.Name == name {
			return m
		}
	}
	return vehicle.Module{}
}

// errNoMain is what a file needs and a test binary does not have by itself.
var errNoMain = errors.New("a library file is opened in a child process first, which is this test binary again; " +
	"give the package a TestMain that makes it one: func TestMain(m *testing.M) { moduletest.Main(m) }")

// explain says what a test cannot know of the errors that it gets.
func (k *Kit) explain(err error) error {
	if err != nil && k.described.Vehicle == vehicle.GoPlugin {
		return fmt.Errorf("%w\na Go plugin opens only in a binary with the same Go version, flags and packages, and a test binary seldom is one: "+
			"test the Library value of the plugin's package, moduletest.New(t, yourpackage.Library), "+
			"and ask the daemon about the built file: mesos-module verify --daemon=…", err)
	}
	return err
}

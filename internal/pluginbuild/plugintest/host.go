package plugintest

// Host builds a daemon that opens plugins, from a module of its own that requires
// Third in a version (none if empty) and takes this module from its checkout.
func (l *Lab) Host(name, third string, flags ...string) string {
	l.t.Helper()
	l.WriteHost(name, third, "")
	out := l.Path(name + "/daemon")
	args := append([]string{"build", "-ldflags=-w", "-o", out}, flags...) // linked faster
	l.Go(name, l.Workspace(name+"-work", name), append(args, ".")...)
	return out
}

// WriteHost writes the module of a daemon; require is added to its go.mod.
func (l *Lab) WriteHost(name, third, require string) {
	l.t.Helper()
	mod, imports := "module example.org/"+name+"\n\ngo 1.26.0\n\n"+require+"\n", ""
	if third != "" {
		mod += "require " + Third + " " + third + "\n"
		imports = "import _ \"" + Third + "\"\n"
	}
	l.Write(name+"/go.mod", mod)
	l.Write(name+"/third.go", "package main\n\n"+imports)
	l.Write(name+"/main.go", hostMain)
}

// The daemon does what its arguments say, one after the other, and prints one
// line each: open=FILE, describe=FILE, replace=OLD=NEW.
const hostMain = `package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/roles/calculator"
)

func file(path string) vehicle.File {
	content, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return vehicle.File{Path: path, Digest: sha256.Sum256(content)}
}

func open(v *goplugin.Vehicle, path string) error {
	library, err := v.Open(context.Background(), file(path), vehicle.Description{})
	if err != nil {
		return err
	}
	instance, err := library.Create(context.Background(), "org_example_adder", nil, nil)
	if err != nil {
		return err
	}
	n, err := instance.Value.(calculator.Calculator).Compute(context.Background(), 'A', 10)
	fmt.Println("opened", n, err, "unloads", library.Unloads())
	return nil
}

func describe(v *goplugin.Vehicle, path string) error {
	d, _, err := v.Recognise(file(path))
	if err == nil {
		d, err = v.Describe(file(path), d)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(d)
}

func main() {
	v := goplugin.New("")
	for _, arg := range os.Args[1:] {
		verb, path, _ := strings.Cut(arg, "=")
		var err error
		switch verb {
		case "open":
			err = open(v, path)
		case "describe":
			err = describe(v, path)
		case "fresh":
			v = goplugin.New("")
		case "replace":
			old, by, _ := strings.Cut(path, "=")
			err = os.Rename(by, old)
		default:
			err = fmt.Errorf("there is no verb %q", verb)
		}
		if err != nil {
			fmt.Printf("%T %v\n", err, err)
		}
	}
}
`

// Calc is a package with a Library, for a module that requires Third when use
// is a constant of it ("third.B").
func Calc(pkg, use string) string {
	imports, print := "", ""
	if use != "" {
		imports = "\t\"" + Third + "\"\n"
		print = "var _ = " + use + "\n\nvar _ = third.Version()\n"
	}
	return `package ` + pkg + `

import (
	"context"

` + imports + `
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

` + print + `
type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: "org_example_adder", Version: "1.2.0",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	},
}}
`
}

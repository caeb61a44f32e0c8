package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"path"
	"strings"
	"text/template"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"inc": func(i int) int { return i + 1 }}).ParseFS(templateFiles, "templates/*.tmpl"))

// generate returns all files for the rows. overlay replaces source files by absolute path.
func generate(root string, rows []row, overlay map[string][]byte) (files, error) {
	contracts, err := read(root, rows, overlay)
	if err != nil {
		return nil, err
	}
	before, err := readFingerprints(root)
	if err != nil {
		return nil, err
	}
	var native []contract
	var errs []error
	for _, c := range contracts {
		errs = append(errs, checkProcess(c))
		if c.Native {
			native = append(native, c)
			errs = append(errs, checkNative(c))
		}
	}
	errs = append(errs, checkFingerprints(contracts, before))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	known, err := readMessages(root)
	if err != nil {
		return nil, err
	}
	used, err := known.used(native)
	if err != nil {
		return nil, err
	}
	headers, err := messageHeaders(used)
	if err != nil {
		return nil, err
	}
	w := writer{out: files{fingerprintsPath: renderFingerprints(contracts)}, modulePath: modulePathOf(contracts)}
	for _, c := range contracts {
		w.goSource("unimplemented", w.folder(c)+"/zz_generated.go", unimplementedOf(c))
		w.goSource("handle", "manager/handle/zz_"+c.Go.Name()+".go", handleOf(c))
	}
	w.goSource("handles", "manager/handle/zz_roles.go", contracts)
	const process = "manager/vehicle/process/bridge/"
	for _, c := range contracts {
		f := processOf(c, w.modulePath)
		w.goSource("process", process+"zz_"+c.Go.Name()+".go", f)
		w.goSource("echo", process+"zz_"+c.Go.Name()+"_test.go", f)
	}
	w.goSource("processes", process+"zz_roles.go", contracts)
	w.goSource("echoes", process+"zz_roles_test.go", contracts)
	for _, c := range native {
		n := nativeOf(c, known)
		w.text("table.h", "facade/include/mesos/roles/"+n.Snake+".h", n)
		w.text("role.hpp", "facade/include/"+n.Snake+".hpp", n)
		w.text("forward.hpp", "facade/include/mesos/module/"+n.Snake+".hpp", n)
		w.goSource("bridge", "manager/vehicle/native/bridge/zz_"+c.Go.Name()+".go", n)
	}
	for _, h := range headers {
		w.text("messages.hpp", "facade/include/"+h.Path, h)
	}
	w.goSource("bridges", "manager/vehicle/native/bridge/zz_roles.go", native)
	return w.out, errors.Join(w.errs...)
}

// writer renders templates and keeps what goes wrong until the end.
type writer struct {
	out        files
	modulePath string
	errs       []error
}

func (w *writer) text(name, to string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name+".tmpl", data); err != nil {
		w.errs = append(w.errs, fmt.Errorf("%s: %w", to, err))
		return
	}
	w.out[to] = b.Bytes()
}

func (w *writer) goSource(name, to string, data any) {
	w.text(name+".go", to, data)
	formatted, err := format.Source(w.out[to])
	if err != nil {
		w.errs = append(w.errs, fmt.Errorf("%s: %w\n%s", to, err, w.out[to]))
		return
	}
	w.out[to] = formatted
}

// folder is where a role's package is, below the root.
func (w *writer) folder(c contract) string {
	return strings.TrimPrefix(c.Package, w.modulePath+"/")
}

// modulePathOf is what the packages of the roles have in front of roles/.
func modulePathOf(all []contract) string {
	if len(all) == 0 {
		return ""
	}
	return path.Dir(path.Dir(all[0].Package))
}

package moduletool

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles"
)

//go:embed all:templates
var templates embed.FS

// headersDir is where the headers go in a module in C++ or C.
const headersDir = "include"

// subject is what templates know.
type subject struct {
	Name, Base   string // org_example_adder, adder
	Role         string
	Summary      string
	Daemon       string // one in which the role is used
	Flag         string // binds it there; empty where every module of the role is taken
	MesosVersion string
	Go           goRole
	Native       nativeRole
	Symbol       string // of the module's descriptor in a native library
	GoModule     string // path of the Go module
	Source       string // of the module system, absolute
}

// scaffold renders all files of a new module, sorted by path but for the headers,
// which come last.
func scaffold(name, dir, source, lang string, role roles.Role) ([]textFile, error) {
	s := subject{Name: name, Base: baseName(name), Role: role.Name, Summary: role.Summary, MesosVersion: facade.MesosVersion}
	for _, d := range []roles.Daemon{roles.Slave, roles.Master} {
		if role.On&d != 0 {
			s.Daemon = d.String()
			s.Flag = flagOn(role, d)
			break
		}
	}
	var headers []textFile
	var err error
	if lang == "go" {
		s.GoModule = importPath(name)
		if s.Source, err = findSource(source, dir); err == nil {
			s.Go, err = readGoRole(s.Source, role)
		}
	} else {
		s.Symbol = name
		if lang == "cpp" {
			s.Symbol = "mesos_module_" + name // by MESOS_MODULE
		}
		if headers, err = headerFiles(); err == nil {
			s.Native, err = readNativeRole(headers, role.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	files, err := s.render(lang)
	for _, h := range headers {
		files = append(files, textFile{headersDir + "/" + h.path, h.content})
	}
	return files, err
}

func flagOn(role roles.Role, d roles.Daemon) string {
	for _, site := range role.Sites {
		if site.On&d != 0 {
			return site.Flag
		}
	}
	return ""
}

// render executes the templates of a language. BASE in a file's name stands for
// the module's; the suffix .tmpl is dropped.
func (s subject) render(lang string) ([]textFile, error) {
	dir := "templates/" + lang
	entries, err := templates.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	set, err := template.ParseFS(templates, dir+"/*.tmpl", "templates/*.tmpl")
	if err != nil {
		return nil, err
	}
	var files []textFile
	for _, e := range entries {
		var out bytes.Buffer
		if err := set.ExecuteTemplate(&out, e.Name(), s); err != nil {
			return nil, fmt.Errorf("write %s: %w", e.Name(), err)
		}
		f := textFile{strings.ReplaceAll(strings.TrimSuffix(e.Name(), ".tmpl"), "BASE", s.Base), out.Bytes()}
		if path.Ext(f.path) == ".go" {
			if f.content, err = format.Source(f.content); err != nil {
				return nil, fmt.Errorf("write %s: %w", f.path, err)
			}
		}
		files = append(files, f)
	}
	return files, nil
}

// writeNew writes files of which none may be there yet. What was written before
// something went wrong is taken away again.
func writeNew(dir string, files []textFile) (err error) {
	var there []string
	for _, f := range files {
		switch _, err := os.Lstat(filepath.Join(dir, f.path)); {
		case err == nil:
			there = append(there, f.path)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("look for files that are there already: %w", err)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("nothing was written, because %s is not empty: it has %s; name another folder", dir, strings.Join(there, ", "))
	}
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				_ = os.Remove(path) // there is an error to report already
			}
		}
	}()
	for _, f := range files {
		path := filepath.Join(dir, f.path)
		written = append(written, path)
		if err := writeFile(path, f.content); err != nil {
			return err
		}
	}
	return nil
}

package moduletool

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/roles"
)

// newOptions are the flags of new.
type newOptions struct {
	lang   choice
	role   string
	source string
}

// created is what new did, for programs.
type created struct {
	Name  string   `json:"name"`
	Role  string   `json:"role"`
	Lang  string   `json:"lang"`
	Dir   string   `json:"dir"`
	Files []string `json:"files"` // below Dir
}

func (t *Tool) newModule() *cobra.Command {
	o := newOptions{lang: choice{value: "go", among: []string{"go", "cpp", "c"}, also: map[string]string{"c++": "cpp", "golang": "go"}}}
	cmd := &cobra.Command{
		Use:   "new NAME [DIR]",
		Short: "Begin a module, with a test that passes",
		Long: `new writes a module that does nothing yet into DIR (default: a folder called NAME): the
methods of its role, a Makefile, a README, and a test that passes at once. Nothing is
ever overwritten.

NAME is how manifests and flags name the module. By convention it is a reversed
domain and a name, joined by underscores, so that names never clash.

A module in Go is compiled against the sources of the module system; they are found
around DIR and around this program, or named with --source. Modules in C++ and C get
a copy of the headers.`,
		Example: `  mesos-module new org_example_adder
  mesos-module new --lang=cpp --role=TestModule org_example_hello ./hello
  cd org_example_adder && make test`,
		Args: between(1, 2, "the module, and the folder if it is to be another"),
		RunE: func(_ *cobra.Command, args []string) error { return t.runNew(o, args) },
	}
	cmd.Flags().Var(&o.lang, "lang", "language: "+o.lang.Type())
	cmd.Flags().StringVar(&o.role, "role", "Calculator", "what the module is for; \"mesos-module roles\" lists them")
	cmd.Flags().StringVar(&o.source, "source", "", "`folder` with the sources of the module system, for Go")
	mustComplete(cmd, "lang", o.lang.among)
	mustComplete(cmd, "role", usableRoles())
	return cmd
}

// usableRoles are those of which modules can be loaded.
func usableRoles() []string {
	var names []string
	for _, r := range roles.Table() {
		if r.Type != nil {
			names = append(names, r.Name)
		}
	}
	return names
}

func (t *Tool) runNew(o newOptions, args []string) error {
	name, dir := args[0], args[0]
	if len(args) == 2 {
		dir = args[1]
	}
	if err := checkName(name, o.lang.value); err != nil {
		return err
	}
	role, err := roleFor(o.role, o.lang.value)
	if err != nil {
		return err
	}
	files, err := scaffold(name, dir, o.source, o.lang.value, role)
	if err != nil {
		return err
	}
	if err := writeNew(dir, files); err != nil {
		return err
	}
	if notice := nameNotice(name); notice != "" {
		fmt.Fprintf(t.Stderr, "notice: %s\n", notice)
	}
	done := created{Name: name, Role: role.Name, Lang: o.lang.value, Dir: dir}
	for _, f := range files {
		done.Files = append(done.Files, f.path)
	}
	if t.json() {
		return writeJSON(t.Stdout, done)
	}
	_, err = fmt.Fprintf(t.Stdout, "%s: a module of the role %s\n  %s\n\nTry it:\n  make -C %s test\n",
		name, role.Name, strings.Join(prefixed(dir+string(filepath.Separator), shownFiles(files)), "\n  "), dir)
	return err
}

// shownFiles are the files that somebody will open; the headers are one entry.
func shownFiles(files []textFile) []string {
	var shown []string
	for _, f := range files {
		if !strings.HasPrefix(f.path, headersDir+"/") {
			shown = append(shown, f.path)
		} else if !strings.HasPrefix(shown[len(shown)-1], headersDir) {
			shown = append(shown, headersDir+"/ (the headers of the module system)")
		}
	}
	return shown
}

// roleFor returns the role if modules of it can be written in the language.
func roleFor(name, lang string) (roles.Role, error) {
	role, err := roleByName(name)
	switch {
	case err != nil:
		return role, err
	case role.Type == nil:
		return role, misuse("no module of the role %s can be loaded yet: its interface comes with the daemon's part that calls it; there are %s",
			name, strings.Join(usableRoles(), ", "))
	case lang != "go" && !role.Native:
		return role, misuse("modules of the role %s are written in Go; those that C and C++ can fulfil are %s", name, strings.Join(nativeRoles(), ", "))
	default:
		return role, nil
	}
}

func nativeRoles() []string {
	var names []string
	for _, r := range roles.Table() {
		if r.Native {
			names = append(names, r.Name)
		}
	}
	return names
}

package moduletool

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/internal/pluginbuild"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/vehicle/file"
)

// buildOptions are the flags of build.
type buildOptions struct {
	as                     choice
	daemon, source, output string
	verbose                bool
}

// built is what build did, for programs.
type built struct {
	Output     string      `json:"output"` // absolute
	Package    string      `json:"package"`
	Daemon     string      `json:"daemon"`   // absolute
	Versions   []builtWith `json:"versions"` // where the daemon's version took the place of another
	Inspection *inspection `json:"inspection"`
	Loads      bool        `json:"loads"` // the daemon's binary opened it
}

type builtWith struct {
	Module string `json:"module"`
	Wanted string `json:"wanted"`
	Used   string `json:"used"`
}

func (t *Tool) build() *cobra.Command {
	o := buildOptions{as: choice{value: "goplugin", among: []string{"goplugin", "process"}}}
	cmd := &cobra.Command{
		Use:   "build [PACKAGE]",
		Short: "Build a Go package with a Library as a plugin for a daemon",
		Long: `build makes a library of modules out of a Go package that exports a variable Library.
"go build" alone cannot: a plugin has to be a main package, and it opens only in a
daemon that shares every package with it, bit for bit. So build takes the Go
version, the flags and the versions of dependencies from the daemon's own binary.

Nothing of the package changes, go.mod and go.sum included. At the end a child
process of the daemon's binary opens the plugin, so that you know that it loads.

Without --daemon it is built for the mesos-slave, or else the mesos-master, that lies
beside this program.`,
		Example: `  mesos-module build ./adder
  mesos-module build --daemon=/usr/sbin/mesos-slave --source=/usr/src/mms -o libadder.so ./adder`,
		Args: between(0, 1, "one package"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pkg := "."
			if len(args) == 1 {
				pkg = args[0]
			}
			return t.runBuild(cmd.Context(), o, pkg)
		},
	}
	cmd.Flags().Var(&o.as, "as", "the vehicle to build for: "+o.as.Type())
	cmd.Flags().StringVar(&o.daemon, "daemon", "", "the `binary` of the daemon that is to load it")
	cmd.Flags().StringVar(&o.source, "source", "", "`folder` with the sources that the daemon was built from")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`file` to write (default lib<package>.so)")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "show the commands that are run")
	mustComplete(cmd, "as", o.as.among)
	return cmd
}

func (t *Tool) runBuild(ctx context.Context, o buildOptions, pkg string) error {
	daemon, err := buildFor(o.daemon)
	if err != nil {
		return err
	}
	began := time.Now()
	t.progress("building %s for %s", pkg, daemon)
	r, err := pluginbuild.Build(ctx, pluginbuild.Request{
		Package: pkg, As: o.as.value, Daemon: daemon, Source: o.source, Output: o.output,
		Stdout: io.Discard, Stderr: t.Stderr, Verbose: o.verbose,
	})
	if err != nil {
		return err
	}
	t.progress("built %s in %v; opening it in a child process of the daemon", r.Output, time.Since(began).Round(100*time.Millisecond))
	all, err := t.look(ctx, []string{r.Output}, daemon, file.Options{AllowWorldWritable: true})
	if err != nil {
		return err
	}
	b := built{Output: r.Output, Package: r.Package, Daemon: daemon, Versions: []builtWith{}, Inspection: all[0], Loads: len(all[0].Findings) == 0}
	for _, p := range r.Pins {
		b.Versions = append(b.Versions, builtWith(p))
	}
	if err := t.showBuilt(b); err != nil {
		return err
	}
	if !b.Loads {
		return exitCode(ExitFailed)
	}
	return nil
}

// progress tells what is being done.
func (t *Tool) progress(format string, args ...any) { fmt.Fprintf(t.Stderr, format+"\n", args...) }

func (t *Tool) showBuilt(b built) error {
	if t.json() {
		return writeJSON(t.Stdout, b)
	}
	if !b.Loads {
		for _, f := range b.Inspection.Findings {
			t.progress("mesos-module build: %s", shownFinding(f))
		}
		_, err := fmt.Fprintf(t.Stdout, "%s\nThe daemon %s will not load it.\n", b.Output, b.Daemon)
		return err
	}
	if _, err := fmt.Fprintf(t.Stdout, "%s\nThe daemon %s opens it", b.Output, b.Daemon); err != nil {
		return err
	}
	if d := b.Inspection.Library; len(d.Modules) > 0 {
		var cells [][]string
		for _, m := range d.Modules {
			cells = append(cells, []string{m.Name, m.Role, m.Version})
		}
		fmt.Fprint(t.Stdout, ":\n\n")
		return report.WriteTable(t.Stdout, t.style(), []string{"module", "role", "version"}, cells)
	}
	_, err := fmt.Fprintln(t.Stdout, ", and finds no module in it.")
	return err
}

// buildFor returns the daemon to build for: the one that was named, or one beside
// this program.
func buildFor(named string) (string, error) {
	if named != "" {
		return findDaemon(named)
	}
	program, err := executable()
	if err != nil {
		return "", err
	}
	for _, name := range []string{"mesos-slave", "mesos-master"} {
		beside := filepath.Join(filepath.Dir(program), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	return "", misuse("which daemon the plugin is for is not said, and none lies beside this program; name its binary, as in --daemon=./bin/mesos-slave")
}

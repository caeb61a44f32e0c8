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
	"github.com/mesos-modules/mms/manager/vehicle"
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
	Vehicle    string      `json:"vehicle"`
	Daemon     string      `json:"daemon,omitempty"` // absolute; none: a program was built, for any daemon
	Facade     string      `json:"facade,omitempty"` // of a program: the version of the module system, or the folder of its sources
	Versions   []builtWith `json:"versions"`         // where the daemon's version took the place of another
	Inspection *inspection `json:"inspection"`
	Loads      bool        `json:"loads"` // it was opened, or run, and told what it holds
}

type builtWith struct {
	Module string `json:"module"`
	Wanted string `json:"wanted"`
	Used   string `json:"used"`
}

func (t *Tool) build() *cobra.Command {
	o := buildOptions{as: choice{value: vehicle.GoPlugin, among: []string{vehicle.GoPlugin, vehicle.Process}}}
	cmd := &cobra.Command{
		Use:   "build [PACKAGE] [FLAG...] [-- GOFLAG...]",
		Short: "Build a Go package with a Library as a plugin or a program",
		Long: `build makes a library of modules out of a Go package that exports a variable Library.
"go build" alone cannot: either kind of library has to be a main package, which
build adds. Nothing of the package changes, go.mod and go.sum included. At the end
the library is opened once, in a child process, so that you know that it loads.

--as=goplugin makes a plugin, which runs in the daemon. It opens only in a daemon
that shares every package with it, bit for bit. So build takes the Go version, the
flags and the versions of dependencies from the daemon's own binary, and has that
open the plugin. Without --daemon it is built for the mesos-slave, or else the
mesos-master, that lies beside this program.

--as=process makes a program, which any daemon runs in a process of its own, of this
release and of later ones. The package's own go.mod decides everything: the Go
version, the version of the module system, and those of all else. Only if it does
not require the module system, the sources from --source are put beside it. The
program is linked without C unless a package needs that (CGO_ENABLED decides
otherwise). Behind "--" stand flags for "go build". A daemon is not needed; one that
is named with --daemon runs the program at the end, in place of mesos-module.

A package main is built as it is. For --as=process its main calls serve.Main with
the library: go doc github.com/mesos-modules/mms/manager/vehicle/process/serve`,
		Example: `  mesos-module build ./adder
  mesos-module build --daemon=/usr/sbin/mesos-slave --source=/usr/src/mms -o libadder.so ./adder
  mesos-module build --as=process ./adder
  mesos-module build --as=process -o /opt/modules/adder ./adder -- -ldflags='-s -w'`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			packages, flags := args, []string(nil)
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				packages, flags = args[:dash], args[dash:]
			}
			if err := between(0, 1, "one package")(cmd, packages); err != nil {
				return err
			}
			pkg := "."
			if len(packages) == 1 {
				pkg = packages[0]
			}
			return t.runBuild(cmd.Context(), o, pkg, flags)
		},
	}
	cmd.Flags().Var(&o.as, "as", "the vehicle to build for: "+o.as.Type())
	cmd.Flags().StringVar(&o.daemon, "daemon", "", "the `binary` of the daemon that is to load it")
	cmd.Flags().StringVar(&o.source, "source", "", "`folder` with the sources of the module system, for a plugin those that the daemon was built from")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`file` to write (default lib<package>.so, or <package> for a program)")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "show the commands that are run")
	mustComplete(cmd, "as", o.as.among)
	return cmd
}

func (t *Tool) runBuild(ctx context.Context, o buildOptions, pkg string, flags []string) error {
	program, err := executable()
	if err != nil {
		return err
	}
	daemon, err := buildFor(o, program)
	if err != nil {
		return err
	}
	began := time.Now()
	t.progress("building %s%s", pkg, prefixedIf(" for ", daemon))
	r, err := pluginbuild.Build(ctx, pluginbuild.Request{
		Package: pkg, As: o.as.value, Daemon: daemon, Source: o.source, Near: program, Output: o.output, Flags: flags,
		Stdout: io.Discard, Stderr: t.Stderr, Verbose: o.verbose,
	})
	if err != nil {
		return err
	}
	t.progress("built %s in %v; %s", r.Output, time.Since(began).Round(100*time.Millisecond), howOpened(o.as.value, daemon))
	all, err := t.look(ctx, []string{r.Output}, daemon, file.Options{AllowWorldWritable: true})
	if err != nil {
		return err
	}
	b := built{Output: r.Output, Package: r.Package, Vehicle: o.as.value, Daemon: daemon, Facade: r.Facade, Versions: []builtWith{},
		Inspection: all[0], Loads: len(all[0].Findings) == 0}
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

// howOpened says what is done with the new library to see whether it loads.
func howOpened(as, daemon string) string {
	switch {
	case as == vehicle.GoPlugin:
		return "opening it in a child process of the daemon"
	case daemon != "":
		return "the daemon runs it once, to hear what it holds"
	default:
		return "running it once, to hear what it holds"
	}
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
		_, err := fmt.Fprintf(t.Stdout, "%s\n%s will not load it.\n", b.Output, b.loader())
		return err
	}
	does := b.loader() + " opens it"
	if b.Vehicle == vehicle.Process {
		does = "It runs"
		if b.Daemon != "" {
			does = b.loader() + " runs it"
		}
	}
	if _, err := fmt.Fprintf(t.Stdout, "%s\n%s", b.Output, does); err != nil {
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
	_, err := fmt.Fprintln(t.Stdout, ", and there is no module in it.")
	return err
}

// loader is who was asked to load the library, as a sentence begins.
func (b built) loader() string {
	if b.Daemon == "" {
		return "A daemon of this release"
	}
	return "The daemon " + b.Daemon
}

// buildFor returns the daemon to build for: the one that was named, or for a plugin one
// beside this program. A program is built for none.
func buildFor(o buildOptions, program string) (string, error) {
	if o.daemon != "" {
		return findDaemon(o.daemon)
	}
	if o.as.value == vehicle.Process {
		return "", nil
	}
	for _, name := range []string{"mesos-slave", "mesos-master"} {
		beside := filepath.Join(filepath.Dir(program), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	return "", misuse("which daemon the plugin is for is not said, and none lies beside this program; name its binary, as in --daemon=./bin/mesos-slave, or build a program for any daemon with --as=process")
}

// prefixedIf is a text behind a prefix, or nothing for none.
func prefixedIf(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

package moduletool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/nearest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Exit codes. The commands that run a daemon pass its own code on.
const (
	ExitOK       = 0
	ExitFailed   = 1  // something could not be done, or a library is refused
	ExitFindings = 2  // of verify, plan and graph: verification holds something against the modules
	ExitUsage    = 64 // the command line is wrong
)

// Tool is the program, with what it takes from outside.
type Tool struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(string) string

	// Vehicles returns the vehicles that recognise libraries for a daemon, in the
	// order in which they are asked; an empty path means this binary.
	Vehicles func(daemon string) []vehicle.Vehicle

	// Trial opens libraries in a child process.
	Trial func(context.Context, []trial.Request, trial.Options) ([]trial.Verdict, error)

	format choice
}

// Run does what the arguments say and returns the exit code. ctx ends the
// processes that it has started.
func (t *Tool) Run(ctx context.Context, args []string) int {
	root := t.root()
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	var silent exitCode
	var misuse *usageError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &silent):
		return int(silent)
	case errors.As(err, &misuse):
		fmt.Fprintf(t.Stderr, "%s: %s Run \"%s --help\" to see how it is used.\n", ran.CommandPath(), sentence(err), ran.CommandPath())
		return ExitUsage
	default:
		fmt.Fprintf(t.Stderr, "%s: %v\n", ran.CommandPath(), err)
		return ExitFailed
	}
}

// sentence is an error's text with a mark at its end.
func sentence(err error) string {
	text := err.Error()
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// exitCode ends the program with this code; whatever there was to say is said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a command line that cannot be understood.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

func misuse(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func (t *Tool) root() *cobra.Command {
	t.format = choice{value: "text", among: []string{"text", "json"}}
	root := &cobra.Command{
		Use:   "mesos-module",
		Short: "Look at, build and begin Mesos modules",
		Long: `mesos-module looks at libraries of Mesos modules, builds them, begins new ones,
and asks a daemon what it would make of them.

It never constructs a module. Standard output carries the answer, as text or, with
--format=json, for programs; tables get lines and colours on a terminal only
(NO_COLOR turns colours off). Standard error carries what went wrong.

Exit codes:
  0   done
  1   something could not be done, or a library is refused
  2   verify, plan, graph: the daemon holds something against the modules
  64  the command line is wrong`,
		Example: `  mesos-module new org_example_adder           begin a module in Go
  mesos-module build ./org_example_adder       build it as a plugin for a daemon
  mesos-module build --as=process ./org_example_adder
                                               build it as a program for any daemon
  mesos-module inspect libadder.so             see what a library says of itself
  mesos-module verify --daemon=./bin/mesos-slave -- --modules=libadder.so:org_example_adder
                                               see what the daemon would say to it`,
		Version:       facade.MesosVersion,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return misuse("there is no command %q%s", args[0], didYouMean(args[0], commandNames(root)))
		}
		return cmd.Help()
	}
	root.SetIn(t.Stdin)
	root.SetOut(t.Stdout)
	root.SetErr(t.Stderr)
	root.SetVersionTemplate("mesos-module {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().Var(&t.format, "format", "how to write the answer: "+t.format.Type())
	mustComplete(root, "format", t.format.among)
	root.AddCommand(t.inspect(), t.build(), t.headers(), t.verify(), t.plan(), t.graph(), t.newModule(), t.roles(), t.rules())
	return root
}

// commandNames are those of commands that people call.
func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

// didYouMean proposes the nearest of the candidates, if one is near.
func didYouMean(word string, candidates []string) string {
	if near := nearest.Name(word, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// executable is the path of this program.
func executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the path of this program: %w", err)
	}
	return path, nil
}

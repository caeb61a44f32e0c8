package moduletool

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os/exec"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// asks are the words of a command that lets a daemon answer.
type asks struct {
	use, short, long, example string
	report                    string   // the daemon's --report
	formats                   []string // the daemon's --format
}

// patience is how long a daemon that was told to stop may take.
const patience = 5 * time.Second

// toDaemon makes a command that runs the daemon it is given with --verify_only:
// another binary links other packages and would give other answers.
func (t *Tool) toDaemon(a asks) *cobra.Command {
	daemon := ""
	format := choice{value: a.formats[0], among: a.formats}
	cmd := &cobra.Command{
		Use:   a.use + " --daemon=BINARY -- [FLAG...]",
		Short: a.short,
		Long: a.long + `

The daemon's own binary answers: it loads and verifies, makes no module, and ends.
Its flags stand behind the "--", as it would be started with them.

The exit code is the daemon's: 0 if nothing stands against the modules, 2 with
findings, 1 if it does not know a flag, 3 if it could not load at all. It is 1, too,
if there is no daemon to ask.`,
		Example:               a.example,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 0 && dash != 0 {
				return misuse("%q stands before the \"--\"; the daemon's flags stand behind it", args[0])
			}
			if daemon == "" {
				return misuse("which daemon is to be asked is not said; name its binary, as in --daemon=./bin/mesos-slave")
			}
			return t.ask(cmd.Context(), daemon, append([]string{"--verify_only", "--report=" + a.report, "--format=" + format.value}, args...))
		},
	}
	cmd.Flags().StringVar(&daemon, "daemon", "", "the `binary` of the daemon to ask")
	cmd.Flags().Var(&format, "format", "how the daemon writes the answer: "+format.Type())
	mustComplete(cmd, "format", a.formats)
	return cmd
}

// ask runs the daemon with our own standard streams and passes its exit code on.
func (t *Tool) ask(ctx context.Context, name string, args []string) error {
	path, err := findDaemon(name)
	if err != nil {
		return err
	}
	if err := isDaemon(path); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = t.Stdout, t.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	err = cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the daemon %s was stopped before it had answered: %w", name, ctx.Err())
	case errors.As(err, &ended) && ended.Exited():
		return exitCode(ended.ExitCode())
	default:
		return fmt.Errorf("the daemon %s did not answer: %w", name, err)
	}
}

// isDaemon keeps programs that would do who knows what from being run.
func isDaemon(path string) error {
	info, err := buildinfo.ReadFile(path)
	if err == nil && (info.Main.Path == modulePath || slices.ContainsFunc(info.Deps, func(m *debug.Module) bool { return m.Path == modulePath })) {
		return nil
	}
	return fmt.Errorf("%s is no daemon of modules: it was not built with %s; name the binary of a mesos-master or mesos-slave with --daemon", path, modulePath)
}

package command

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor"
	"github.com/mesos-modules/mms/internal/executor/checks"
)

// commandProbe runs a command beside the task, with the task's environment and the command's own over it. What it
// writes goes to the sandbox's stderr. When its time is over, its process group is killed.
func commandProbe(info *mesosv1.CommandInfo, environ []string, output *os.File) checks.Probe {
	var v executor.Variables
	v.AddAll(environ)
	v.AddMessage(info.GetEnvironment())
	environ = v.Environ()
	return func(ctx context.Context) (int, error) {
		path, args, err := resolve(info, environ)
		if err != nil {
			return 0, err
		}
		command := exec.CommandContext(ctx, path)
		command.Args, command.Env = args, environ
		command.Stdout, command.Stderr = output, output
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
		command.WaitDelay = time.Second
		err = command.Run()
		if cause := context.Cause(ctx); cause != nil {
			return 0, cause
		}
		if state := command.ProcessState; state != nil && state.Exited() {
			return state.ExitCode(), nil
		}
		return 0, err
	}
}

package daemon

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals are those that ask a daemon to stop, for [Options].Signals. SIGHUP, which
// the end of a terminal sends, is one unless whoever started the process has it
// ignored, as nohup does.
func Signals() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

package logrotate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/mesos-modules/mms/modules/containerlogger/logrotate/rotate"
)

// frugal is the process's environment: it starts faster, and takes less, when it does not
// ask how many processors it may use.
var frugal = []string{"GOMAXPROCS=1", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"}

// process takes the output of one container.
type process struct {
	pid     int
	reports *os.File // ends with the process
	folder  string   // of its pipes

	mu       sync.Mutex
	ended    bool
	released bool
}

// fork makes the process. It is not one of package os, which would wait for it in a
// thread.
func fork(program string, run rotate.Config, folder string) (*process, error) {
	text, err := json.Marshal(run)
	if err != nil {
		return nil, err
	}
	configs, config, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer configs.Close()
	reports, report, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, config.Close())
	}
	defer report.Close()
	// The text is shorter than what a pipe holds, so it is written before anybody reads.
	_, err = config.Write(text)
	nothing, other := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err := errors.Join(err, config.Close(), other); err != nil {
		return nil, errors.Join(err, reports.Close())
	}
	defer nothing.Close()
	pid, err := syscall.ForkExec(program, []string{Program}, &syscall.ProcAttr{
		Dir: "/", Env: frugal, Files: []uintptr{configs.Fd(), nothing.Fd(), nothing.Fd(), report.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w; launcher_dir names its folder", program, err), reports.Close())
	}
	return &process{pid: pid, reports: reports, folder: folder}, nil
}

// listen returns when the process has ended, or was released. Ready is told once.
func (p *process) listen(ready chan<- error, l listener) {
	told := false
	tell := func(err error) {
		if !told {
			told = true
			ready <- err
		}
	}
	for lines := bufio.NewScanner(p.reports); lines.Scan(); {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		switch kind {
		case rotate.Ready:
			tell(nil)
		case rotate.Lost:
			number, why, _ := strings.Cut(text, " ")
			if n, err := strconv.ParseFloat(number, 64); err == nil {
				l.lostBytes(n, why)
			}
		case rotate.Fault:
			if told {
				l.fault(text)
			}
			tell(errors.New(text))
		}
	}
	p.mu.Lock()
	if !p.released {
		reap(p.pid)
		p.ended = true
		_ = os.RemoveAll(p.folder) // nobody is behind its pipes any more
	}
	_ = p.reports.Close() // it was only read
	p.mu.Unlock()
	tell(fmt.Errorf("%s has ended", Program))
}

// kill ends the process before its container is launched.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended && !p.released {
		_ = syscall.Kill(p.pid, syscall.SIGKILL) // it was not waited for, so the number is its own
	}
}

// release leaves the process to itself, and to whoever is the parent of orphans.
func (p *process) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = true
	_ = p.reports.Close() // which ends listen
}

// reap takes note of the end of a child, which is about to be.
func reap(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

package shim

import (
	"context"
	"errors"
	"sync"
	"syscall"
)

// processes are the shim's children: programs that it runs, the container's first process,
// and what has become an orphan.
type processes struct {
	mu      sync.Mutex
	running map[int]chan syscall.WaitStatus
	early   map[int]syscall.WaitStatus // that ended before the first process was known
	first   int                        // 0: not known yet
	ended   chan syscall.WaitStatus    // of the first process
}

func newProcesses() *processes {
	return &processes{running: map[int]chan syscall.WaitStatus{}, early: map[int]syscall.WaitStatus{}, ended: make(chan syscall.WaitStatus, 1)}
}

// reap takes the ends of all children that have ended, and says whether any is left.
func (p *processes) reap() (left bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // no child is left
			return false
		case pid == 0:
			return true
		case p.running[pid] != nil:
			p.running[pid] <- status
			delete(p.running, pid)
		case p.first == 0:
			p.early[pid] = status
		case pid == p.first:
			p.ended <- status
		}
	}
}

// run runs a program to its end. When ctx ends it is killed, with all that it has started
// in its session.
func (p *processes) run(ctx context.Context, path string, arguments []string, attr *syscall.ProcAttr) (syscall.WaitStatus, error) {
	ended := make(chan syscall.WaitStatus, 1)
	p.mu.Lock()
	pid, err := syscall.ForkExec(path, arguments, attr)
	if err == nil {
		p.running[pid] = ended
	}
	p.mu.Unlock()
	if err != nil {
		return 0, err
	}
	select {
	case status := <-ended:
		return status, nil
	case <-ctx.Done():
		p.mu.Lock()
		if p.running[pid] != nil { // else its id may be somebody else's by now
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			_ = syscall.Kill(pid, syscall.SIGKILL) // before it has a session
		}
		p.mu.Unlock()
		return <-ended, context.Cause(ctx)
	}
}

// adopt names the container's first process.
func (p *processes) adopt(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first = pid
	if status, ok := p.early[pid]; ok {
		p.ended <- status
	}
	clear(p.early)
}

// signal sends a signal to the first process, as long as it has not been reaped.
func (p *processes) signal(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first != 0 && len(p.ended) == 0 {
		_ = syscall.Kill(p.first, signal)
	}
}

// firstOr is the container's first process, or another where there is none.
func (p *processes) firstOr(other int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == 0 {
		return other
	}
	return p.first
}

package lua

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
)

// look is what the file is at a moment: its content and when it was written, or why it
// cannot be read.
type look struct {
	digest  [sha256.Size]byte
	written time.Time
	problem string
}

// read reads the file, whatever is in its place: links are followed, and what is no file, or
// too long, is an error.
func read(path string) ([]byte, look, error) {
	text, written, err := open(path)
	if err != nil {
		err = fmt.Errorf("read the script: %w", err)
		return nil, look{problem: err.Error()}, err
	}
	return text, look{digest: sha256.Sum256(text), written: written}, nil
}

func open(path string) (text []byte, written time.Time, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for a writer
	if err != nil {
		return nil, written, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, written, err
	}
	if !info.Mode().IsRegular() {
		return nil, written, fmt.Errorf("%s is no file but a %v", path, info.Mode().Type())
	}
	text, err = io.ReadAll(io.LimitReader(f, vm.MaxSource+1))
	if len(text) > vm.MaxSource {
		return nil, written, fmt.Errorf("%s has more than %d bytes", path, vm.MaxSource)
	}
	return text, info.ModTime(), err
}

// watcher looks at the file once each interval. It reads it each time: a new content counts
// however it got there, renamed over, written in place, or by a link that points elsewhere.
// It is taken when two looks in a row have seen the same, so that one that is half written is not.
type watcher struct {
	path   string
	limits vm.Limits
	log    *slog.Logger
	keeper *keeper

	seen, handled look
}

// watch looks until the context ends.
func (w *watcher) watch(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.look(ctx)
		}
	}
}

func (w *watcher) look(ctx context.Context) {
	text, now, err := read(w.path)
	last := w.seen
	w.seen = now
	if now == w.handled || now != last {
		return
	}
	was := w.handled
	w.handled = now
	switch {
	case err != nil:
		w.log.Warn("the script cannot be read, and the last good one stays in charge", "error", err)
	case was.problem != "" && w.keeper.knows(now.digest):
		w.log.Info("the script can be read again")
	default:
		w.take(ctx, text)
	}
}

// take compiles and tries a new content, and has the next run try it on the cluster.
func (w *watcher) take(ctx context.Context, text []byte) {
	s, err := compile(nameOf(w.path), text)
	digest := sha256.Sum256(text)
	if err == nil {
		err = trial(ctx, s, w.limits)
	}
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		w.keeper.refuse((&script{digest: digest}).short(), err)
	default:
		w.keeper.submit(s)
	}
}

// first reads and tries the script that a module begins with.
func (w *watcher) first(ctx context.Context) (*script, error) {
	text, now, err := read(w.path)
	if err != nil {
		return nil, err
	}
	w.seen, w.handled = now, now
	s, err := compile(nameOf(w.path), text)
	if err != nil {
		return nil, err
	}
	if err := trial(ctx, s, w.limits); err != nil {
		return nil, fmt.Errorf("the script was tried on a made-up cluster: %w", err)
	}
	return s, nil
}

package lua

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
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
	store  store

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
			w.keep()
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
	vanished := w.handled.problem != ""
	w.handled = now
	charge := w.keeper.inCharge()
	switch {
	case err != nil:
		w.log.Warn("the script cannot be read, and the last good one stays in charge", "error", err)
	case charge != nil && charge.digest == now.digest:
		if vanished {
			w.log.Info("the script can be read again")
		}
	default:
		w.take(ctx, text)
	}
}

// keep keeps the script in charge for the next start of the daemon.
func (w *watcher) keep() {
	if s := w.keeper.inCharge(); s != nil {
		if err := w.store.put(s); err != nil {
			w.log.Warn("the script in charge cannot be kept: should its file be bad when the master starts, there is no other", "error", err)
		}
	}
}

// take compiles and tries a new content, and has the next run try it on the cluster.
func (w *watcher) take(ctx context.Context, text []byte) {
	s, err := try(ctx, w.path, text, w.limits)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		w.keeper.refuse((&script{digest: sha256.Sum256(text)}).short(), err)
	default:
		w.log.Info("there is a new script, which is tried on the cluster as soon as there is something to divide", "digest", s.short())
		w.keeper.submit(s)
	}
}

// try compiles a content and runs it on a cluster that is made up.
func try(ctx context.Context, path string, text []byte, limits vm.Limits) (*script, error) {
	s, err := compile(filepath.Base(path), text)
	if err != nil {
		return nil, err
	}
	return s, trial(ctx, s, limits)
}

// first is the script to begin with: that of the file, or else the one that was in charge
// when the daemon ended. Without either there is an error.
func (w *watcher) first(ctx context.Context) (*script, error) {
	text, now, err := read(w.path)
	w.seen, w.handled = now, now
	var s *script
	if err == nil {
		s, err = try(ctx, w.path, text, w.limits)
	}
	if err == nil {
		return s, nil
	}
	text, missing := w.store.get()
	if missing != nil {
		return nil, err // none was ever good, or it is lost
	}
	s, bad := try(ctx, w.path, text, w.limits)
	if bad != nil {
		return nil, errors.Join(err, fmt.Errorf("the one that was in charge before: %w", bad))
	}
	w.log.Error("the script is refused, and the one that was in charge when the master ended begins", "digest", s.short(), "error", err)
	return s, nil
}

// Package gc deletes what ended executors and frameworks leave on the disk of an agent: after a time, which is the
// shorter the fuller the disk is.
//
// A path may have the age of the delay while the disk is empty, and no age at all when what is free is no more than the
// headroom; between them the age falls in proportion. Deleting follows no link, leaves no folder but the configured one,
// and enters no file system that is mounted somewhere below, such as a volume that was not taken out of a sandbox.
package gc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Config is what a Collector works with.
type Config struct {
	// Folder is what all paths are below: the agent's work_dir.
	Folder string

	// Delay is how old a path may become: gc_delay.
	Delay time.Duration

	// Headroom is the part of the disk that is to stay free: gc_disk_headroom.
	Headroom float64

	// Interval is how often the disk is looked at: disk_watch_interval.
	Interval time.Duration

	// Usage is which part of the disk under a folder is in use; nil asks the file system.
	Usage func(folder string) (float64, error)

	Log *slog.Logger // nil is silent
}

// Stats are the figures of the metrics.
type Stats struct{ Succeeded, Failed, Pending int }

// entry is a path that waits.
type entry struct {
	path  string
	since time.Time
	done  func(error)
}

// compare orders entries as they become too old.
func (e entry) compare(o entry) int {
	return cmp.Or(e.since.Compare(o.since), cmp.Compare(e.path, o.path))
}

// Collector deletes paths in its method Run. The other methods may be called from any number of goroutines, before Run
// and after it, too.
type Collector struct {
	config Config
	wake   chan struct{} // holds one when Run has something to look at

	mu      sync.Mutex
	entries []entry              // by since, then path
	since   map[string]time.Time // of the entries, by path
	stats   Stats                // but for Pending
	allowed time.Duration
}

// New makes a collector.
func New(config Config) (*Collector, error) {
	switch {
	case !filepath.IsAbs(config.Folder):
		return nil, fmt.Errorf("gc: the folder %q is not absolute", config.Folder)
	case config.Headroom < 0 || config.Headroom > 1:
		return nil, fmt.Errorf("gc: the headroom %v is not between 0 and 1", config.Headroom)
	case config.Interval <= 0:
		return nil, fmt.Errorf("gc: the interval %v is not positive", config.Interval)
	}
	if config.Usage == nil {
		config.Usage = usage
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Collector{config: config, wake: make(chan struct{}, 1), since: map[string]time.Time{}, allowed: config.Delay}, nil
}

// Schedule has a path deleted when it is too old; its age counts from since. A path that waits already gets the new age.
// done, if it is not nil, is called from Run with what came of it, and not at all if the path is taken back; it may call
// the collector.
func (c *Collector) Schedule(path string, since time.Time, done func(error)) error {
	path = filepath.Clean(path)
	if below, err := filepath.Rel(c.config.Folder, path); err != nil || below == "." || !filepath.IsLocal(below) {
		return fmt.Errorf("gc: %s is not below %s", path, c.config.Folder)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(path)
	e := entry{path: path, since: since, done: done}
	at, _ := slices.BinarySearchFunc(c.entries, e, entry.compare)
	c.entries = slices.Insert(c.entries, at, e)
	c.since[path] = since
	c.rouse()
	return nil
}

// Unschedule takes a path back, and says whether it was waiting. One that is being deleted is not.
func (c *Collector) Unschedule(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remove(filepath.Clean(path))
}

func (c *Collector) remove(path string) bool {
	since, waits := c.since[path]
	if !waits {
		return false
	}
	delete(c.since, path)
	at, _ := slices.BinarySearchFunc(c.entries, entry{path: path, since: since}, entry.compare)
	c.entries = slices.Delete(c.entries, at, at+1)
	return true
}

// Stats are the figures as they are now.
func (c *Collector) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	stats := c.stats
	stats.Pending = len(c.entries)
	return stats
}

// Allowed is how old a path may become, as full as the disk was when it was last looked
// at.
func (c *Collector) Allowed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.allowed
}

func (c *Collector) rouse() {
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run deletes what is too old, until ctx ends. It is called once.
func (c *Collector) Run(ctx context.Context) {
	allowed := c.config.Delay
	look := time.NewTimer(0)
	defer look.Stop()
	expiry := time.NewTimer(0)
	defer expiry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			allowed = c.age(allowed)
			c.mu.Lock()
			c.allowed = allowed
			c.mu.Unlock()
			look.Reset(c.config.Interval)
		case <-expiry.C:
		case <-c.wake:
		}
		c.collect(ctx, allowed)
		if next, any := c.next(allowed); any {
			expiry.Reset(next)
		}
	}
}

// age is how old a path may be, as full as the disk is now.
func (c *Collector) age(before time.Duration) time.Duration {
	used, err := c.config.Usage(c.config.Folder)
	if err != nil {
		c.config.Log.Warn("cannot tell how full the disk is", "folder", c.config.Folder, "error", err)
		return before
	}
	allowed := time.Duration(float64(c.config.Delay) * max(0, 1-c.config.Headroom-used))
	c.config.Log.Debug("disk usage", "used", used, "oldest", allowed)
	return allowed
}

// usage is which part of a disk is in use, of what others than root may use.
func usage(folder string) (float64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(folder, &stat); err != nil {
		return 0, err
	}
	if stat.Blocks == 0 {
		return 0, nil
	}
	return 1 - float64(stat.Bavail)/float64(stat.Blocks), nil
}

// next is when the oldest path is too old.
func (c *Collector) next(allowed time.Duration) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) == 0 {
		return 0, false
	}
	return max(0, time.Until(c.entries[0].since.Add(allowed))), true
}

// take returns the oldest path if it is too old.
func (c *Collector) take(allowed time.Duration) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) == 0 || time.Since(c.entries[0].since) < allowed {
		return entry{}, false
	}
	e := c.entries[0]
	c.entries[0] = entry{} // nothing of it is kept
	c.entries = c.entries[1:]
	delete(c.since, e.path)
	return e, true
}

func (c *Collector) collect(ctx context.Context, allowed time.Duration) {
	for ctx.Err() == nil {
		e, found := c.take(allowed)
		if !found {
			return
		}
		err := Remove(ctx, c.config.Folder, e.path)
		if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
			return // the next agent finds what is left, and schedules it
		}
		c.mu.Lock()
		if err == nil {
			c.stats.Succeeded++
		} else {
			c.stats.Failed++
		}
		c.mu.Unlock()
		if err != nil {
			c.config.Log.Warn("cannot delete what is too old", "path", e.path, "error", err)
		} else {
			c.config.Log.Info("deleted what was too old", "path", e.path, "age", time.Since(e.since).Round(time.Second))
		}
		if e.done != nil {
			e.done(err)
		}
	}
}

// Remove deletes a path below a folder with all that is in it, until ctx ends. Nothing there is no error. What can be
// deleted is, the error is about the rest.
func Remove(ctx context.Context, folder, path string) error {
	below, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	mount, err := mountOf(root, ".")
	if err != nil {
		return err
	}
	r := &remover{ctx: ctx, root: root, mount: mount}
	return r.remove(below)
}

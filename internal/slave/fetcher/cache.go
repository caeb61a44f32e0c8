package fetcher

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

// errNoRoom says that something does not fit into the cache: what is in use cannot be dropped.
var errNoRoom = errors.New("the cache has no room")

// maxCached bounds how many files are kept, since each is held open.
const maxCached = 512

// cache keeps files that were fetched, the last used longest. Its files have no names: nobody can change them, and with
// the daemon they are gone, however it ends.
type cache struct {
	folder string
	total  int64

	mu      sync.Mutex
	used    int64
	entries map[string]*entry
	recent  *list.List // of whole entries, the last used in front
}

// entry is one file. What is not said to be constant is guarded by the cache.
type entry struct {
	key  string   // constant
	file *os.File // constant once ready is closed without err

	ready   chan struct{} // closed when the file is whole, or err says why it is not
	err     error         // constant once ready is closed
	cancel  context.CancelFunc
	size    int64 // what it takes up so far
	users   int   // who waits for it or reads it
	element *list.Element
}

// open opens the entry's file for reading from its beginning. The caller closes it.
func (e *entry) open() (*os.File, error) {
	return os.Open("/proc/self/fd/" + strconv.Itoa(int(e.file.Fd())))
}

// newCache makes an empty cache, and its folder.
func newCache(folder string, total int64) (*cache, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return &cache{folder: folder, total: total, entries: map[string]*entry{}, recent: list.New()}, nil
}

// close drops all that nobody uses.
func (c *cache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if e.users == 0 {
			c.drop(e)
		}
	}
}

func (c *cache) figures() (total, used int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total, c.used
}

// get returns the entry of a key, for reading, until release. If there is none, fill is called to write it: once, for
// all who ask meanwhile; it ends when nobody waits any more. It may have room made for what it knows will come.
func (c *cache) get(ctx context.Context, key string, fill func(ctx context.Context, room func(int64) error, to io.Writer) error) (*entry, error) {
	c.mu.Lock()
	e := c.entries[key]
	if e == nil {
		e = c.begin(ctx, key, fill)
	}
	e.users++
	if e.element != nil {
		c.recent.MoveToFront(e.element)
	}
	c.mu.Unlock()
	select {
	case <-e.ready:
		if e.err != nil {
			c.release(e)
			return nil, e.err
		}
		return e, nil
	case <-ctx.Done():
		c.release(e)
		return nil, context.Cause(ctx)
	}
}

// begin makes an entry and has it filled. The cache is locked.
func (c *cache) begin(ctx context.Context, key string, fill func(context.Context, func(int64) error, io.Writer) error) *entry {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // who asked first may leave before the others
	e := &entry{key: key, ready: make(chan struct{}), cancel: cancel}
	c.entries[key] = e
	go func() {
		defer cancel()
		err := c.fill(ctx, e, fill)
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.err = err; err != nil {
			c.drop(e)
		} else {
			e.element = c.recent.PushFront(e)
		}
		close(e.ready)
	}()
	return e
}

func (c *cache) fill(ctx context.Context, e *entry, fill func(context.Context, func(int64) error, io.Writer) error) error {
	file, err := os.CreateTemp(c.folder, "")
	if err != nil {
		return err
	}
	e.file = file
	if err := os.Remove(file.Name()); err != nil {
		return err
	}
	to := &counted{file: file, room: func(size int64) error { return c.room(e, size) }}
	if err := fill(ctx, to.room, to); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used -= e.size - to.written // less may have come than room was made for
	e.size = to.written
	return nil
}

// counted makes room for what it writes.
type counted struct {
	file    *os.File
	room    func(int64) error
	written int64
}

func (w *counted) Write(p []byte) (int, error) {
	if err := w.room(w.written + int64(len(p))); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	w.written += int64(n)
	return n, err
}

// room makes room for an entry of a size, dropping others that nobody uses, the least recently used first.
func (c *cache) room(e *entry, size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	more := size - e.size
	if more <= 0 {
		return nil
	}
	if size > c.total {
		return fmt.Errorf("%w: %d bytes of %d", errNoRoom, size, c.total)
	}
	for at := c.recent.Back(); at != nil && (c.used+more > c.total || c.recent.Len() >= maxCached); {
		before := at.Prev()
		if old := at.Value.(*entry); old.users == 0 {
			c.drop(old)
		}
		at = before
	}
	if c.used+more > c.total || c.recent.Len() >= maxCached {
		return fmt.Errorf("%w: %d bytes of %d, in %d files, are in use", errNoRoom, c.used, c.total, c.recent.Len())
	}
	c.used += more
	e.size = size
	return nil
}

// release gives an entry back. One that nobody waits for any more is not fetched to its end.
func (c *cache) release(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	if e.users > 0 || e.element != nil {
		return
	}
	e.cancel()
	if c.entries[e.key] == e { // the next who asks begins anew
		delete(c.entries, e.key)
	}
}

// drop takes an entry out. The cache is locked.
func (c *cache) drop(e *entry) {
	c.used -= e.size
	e.size = 0
	if e.element != nil {
		c.recent.Remove(e.element)
		e.element = nil
	}
	if c.entries[e.key] == e {
		delete(c.entries, e.key)
	}
	if e.file != nil {
		_ = e.file.Close() // it has no name, so it is gone
	}
}

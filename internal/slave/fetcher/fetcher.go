// Package fetcher brings the files that a command needs into its sandbox: over HTTP, or from this machine. What is
// asked for is made executable or unpacked, or kept in a cache for the next one who asks.
//
// All of it is untrusted: archives are unpacked by loops of our own, within limits, below an open folder that nothing
// leads out of. When the agent runs as root, files are opened and made by a thread that has the rights of the task's
// user, so that he gets nothing by a URI that he could not read himself, and owns what he gets.
package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Config is what a Fetcher works with. The zero value of a field is its default.
type Config struct {
	// CacheDir is where the cache is, whose files have no names there; empty: nothing is cached.
	CacheDir string

	// CacheSize bounds the cache, in bytes; 0 is 2 GB.
	CacheSize int64

	// FrameworksHome is the folder of relative paths; empty refuses them.
	FrameworksHome string

	// StallTimeout ends a download of which nothing has come for so long; 0 is one minute.
	StallTimeout time.Duration

	// MaxBytes bounds a download, and what an archive holds unpacked; 0 is 64 GB.
	MaxBytes int64

	// MaxEntries bounds how many files an archive holds; 0 is a million.
	MaxEntries int

	Log *slog.Logger // nil is silent
}

// Request is what a container's files are fetched for.
type Request struct {
	Container *mesosv1.ContainerID
	Command   *mesosv1.CommandInfo
	Sandbox   string // there already
	User      string // who the files belong to; empty: the agent's user
}

// Stats are the figures of the metrics.
type Stats struct {
	Succeeded, Failed    int64 // requests
	CacheTotal, CacheUse int64 // bytes
}

// Fetcher fetches. Its methods may be called from any number of goroutines.
type Fetcher struct {
	config            Config
	http              *http.Client
	cache             *cache // nil without one
	succeeded, failed atomic.Int64
}

// New makes a fetcher, with an empty cache.
func New(config Config) (*Fetcher, error) {
	setDefault(&config.CacheSize, 2<<30)
	setDefault(&config.StallTimeout, time.Minute)
	setDefault(&config.MaxBytes, 64<<30)
	setDefault(&config.MaxEntries, 1_000_000)
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fetcher{config: config, http: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, // an archive is to stay one
		TLSHandshakeTimeout: config.StallTimeout, ResponseHeaderTimeout: config.StallTimeout,
		IdleConnTimeout: 10 * time.Second,
	}}}
	if config.CacheDir != "" {
		cache, err := newCache(config.CacheDir, config.CacheSize)
		if err != nil {
			return nil, fmt.Errorf("fetcher cache: %w", err)
		}
		f.cache = cache
	}
	return f, nil
}

func setDefault[T comparable](value *T, without T) {
	var zero T
	if *value == zero {
		*value = without
	}
}

// Close gives back what is held, when nothing is fetched any more.
func (f *Fetcher) Close() {
	f.http.CloseIdleConnections()
	if f.cache != nil {
		f.cache.close()
	}
}

// Stats are the figures as they are now.
func (f *Fetcher) Stats() Stats {
	s := Stats{Succeeded: f.succeeded.Load(), Failed: f.failed.Load()}
	if f.cache != nil {
		s.CacheTotal, s.CacheUse = f.cache.figures()
	}
	return s
}

// Fetch brings all URIs of a command into its sandbox, one after another. After the first that fails the sandbox is left
// as it is. The error names the URI, without what secrets it may carry.
func (f *Fetcher) Fetch(ctx context.Context, request Request) error {
	if len(request.Command.GetUris()) == 0 {
		return nil
	}
	err := f.fetch(ctx, request)
	if err != nil {
		f.failed.Add(1)
		return err
	}
	f.succeeded.Add(1)
	return nil
}

func (f *Fetcher) fetch(ctx context.Context, request Request) error {
	// All are looked at first: a mistake in the last one need not cost the download of the others.
	items := make([]*item, 0, len(request.Command.GetUris()))
	for _, uri := range request.Command.GetUris() {
		i, err := f.itemOf(uri)
		if err != nil {
			return err
		}
		items = append(items, i)
	}
	owner, err := ownerOf(request.User)
	if err != nil {
		return err
	}
	sandbox, err := os.OpenRoot(request.Sandbox)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer sandbox.Close()
	for _, i := range items {
		f.config.Log.Debug("fetching", "container", request.Container.GetValue(), "uri", i.shown)
		if err := f.bring(ctx, i, sandbox, owner); err != nil {
			return fmt.Errorf("%s: %w", i.shown, err)
		}
	}
	return nil
}

// bring brings one item.
func (f *Fetcher) bring(ctx context.Context, i *item, sandbox *os.Root, owner *owner) error {
	if i.cached && f.cache != nil {
		err := f.bringCached(ctx, i, sandbox, owner)
		if !errors.Is(err, errNoRoom) {
			return err
		}
		f.config.Log.Warn("fetching past the cache, which has no room", "uri", i.shown)
	}
	source, _, err := f.open(ctx, i, owner)
	if err != nil {
		return err
	}
	defer source.Close()
	return owner.do(func() error {
		if err := f.store(ctx, sandbox, i, source); err != nil || !i.unpacks() {
			return err
		}
		archive, err := sandbox.Open(i.name)
		if err != nil {
			return err
		}
		defer archive.Close()
		return f.unpack(ctx, sandbox, i, archive)
	})
}

// bringCached brings an item by way of the cache. An archive is unpacked from there and not copied.
func (f *Fetcher) bringCached(ctx context.Context, i *item, sandbox *os.Root, owner *owner) error {
	e, err := f.cache.get(ctx, owner.name+"\x00"+i.value, func(ctx context.Context, room func(int64) error, to io.Writer) error {
		source, size, err := f.open(ctx, i, owner)
		if err != nil {
			return err
		}
		defer source.Close()
		if size > 0 {
			if err := room(size); err != nil {
				return err
			}
		}
		return f.copy(ctx, to, source)
	})
	if err != nil {
		return err
	}
	defer f.cache.release(e)
	file, err := e.open()
	if err != nil {
		return err
	}
	defer file.Close()
	return owner.do(func() error {
		if i.unpacks() {
			return f.unpack(ctx, sandbox, i, file)
		}
		return f.store(ctx, sandbox, i, file)
	})
}

// store writes what is read to the item's place in the sandbox. What is there already is replaced.
func (f *Fetcher) store(ctx context.Context, sandbox *os.Root, i *item, from io.Reader) error {
	mode := os.FileMode(0o644)
	if i.executable {
		mode = 0o755
	}
	return write(sandbox, i.name, mode, func(to io.Writer) error { return f.copy(ctx, to, from) })
}

// write makes a file, and the folders to it, anew.
func write(sandbox *os.Root, name string, mode os.FileMode, fill func(io.Writer) error) error {
	if err := sandbox.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := sandbox.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := sandbox.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = fill(file)
	if err == nil {
		err = file.Chmod(mode)
	}
	return errors.Join(err, file.Close())
}

// copy copies within the limit, until ctx ends.
func (f *Fetcher) copy(ctx context.Context, to io.Writer, from io.Reader) error {
	n, err := io.Copy(to, io.LimitReader(&cancelled{ctx, from}, f.config.MaxBytes+1))
	if err == nil && n > f.config.MaxBytes {
		err = fmt.Errorf("it is larger than %d bytes, which is the limit", f.config.MaxBytes)
	}
	return err
}

// cancelled is a reader that fails when its context ends.
type cancelled struct {
	ctx  context.Context
	from io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.from.Read(p)
}

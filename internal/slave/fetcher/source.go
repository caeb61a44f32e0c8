package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"
)

// open begins to read an item. The size is -1 if it is not known. The caller closes the reader.
func (f *Fetcher) open(ctx context.Context, i *item, owner *owner) (io.ReadCloser, int64, error) {
	if i.local == "" {
		return f.download(ctx, i.value)
	}
	var file *os.File
	var info os.FileInfo
	err := owner.do(func() error {
		var err error
		if file, err = os.OpenFile(i.local, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
			return err
		}
		if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
			err = errors.New("it is not a regular file")
		}
		if err != nil {
			_ = file.Close()
		}
		return err
	})
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	return file, info.Size(), nil
}

// withoutPath drops the path that an error of the file system repeats.
func withoutPath(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// download begins a download, which ends when nothing has come for too long.
func (f *Fetcher) download(ctx context.Context, address string) (io.ReadCloser, int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stall := f.config.StallTimeout
	d := &download{ctx: ctx, cancel: cancel, stall: stall}
	d.timer = time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing has come for %v", stall)) })
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err == nil {
		d.response, err = f.http.Do(request)
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		d.end()
		var wrapped *url.Error // it repeats the address, secrets included
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, 0, err
	}
	if d.response.StatusCode != http.StatusOK {
		_ = d.Close()
		return nil, 0, fmt.Errorf("the server answered %s", d.response.Status)
	}
	return d, d.response.ContentLength, nil
}

// download is the body of an answer that must not stall.
type download struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	response *http.Response
	timer    *time.Timer
	stall    time.Duration
}

// Read reads what has come.
func (d *download) Read(p []byte) (int, error) {
	n, err := d.response.Body.Read(p)
	d.timer.Reset(d.stall)
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(d.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

// Close ends the download.
func (d *download) Close() error {
	d.end()
	return d.response.Body.Close()
}

func (d *download) end() {
	d.timer.Stop()
	d.cancel(context.Canceled)
}

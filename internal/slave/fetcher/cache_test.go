package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func cachedURI(value string) *mesosv1.CommandInfo_URI {
	return &mesosv1.CommandInfo_URI{Value: &value, Cache: new(true), Extract: new(false)}
}

func TestTheCache(t *testing.T) {
	w := newWeb(t)
	for i := range 5 {
		w.files[fmt.Sprintf("/%d", i)] = []byte(strings.Repeat(fmt.Sprint(i), 100))
	}
	folder := t.TempDir()
	f := newFetcher(t, Config{CacheDir: filepath.Join(folder, "new"), CacheSize: 250})
	get := func(path string) {
		t.Helper()
		box := sandbox(t)
		require.NoError(t, fetch(t, f, box, cachedURI(w.URL+path)))
		assert.Equal(t, map[string]string{path[1:]: string(w.files[path])}, tree(t, box))
	}
	t.Run("what is there is not fetched again", func(t *testing.T) {
		get("/0")
		get("/0")
		assert.Equal(t, 1, w.times("/0"))
		assert.Equal(t, Stats{Succeeded: 2, CacheTotal: 250, CacheUse: 100}, f.Stats())
	})
	t.Run("the one used longest ago goes when there is no room", func(t *testing.T) {
		get("/1")
		get("/0")
		get("/2") // in the place of 1
		assert.EqualValues(t, 200, f.Stats().CacheUse)
		get("/0")
		get("/1")
		assert.Equal(t, []int{1, 2, 1}, []int{w.times("/0"), w.times("/1"), w.times("/2")})
	})
	t.Run("what does not fit goes past it", func(t *testing.T) {
		w.files["/large"] = make([]byte, 251)
		get("/large")
		get("/large")
		assert.Equal(t, 4, w.times("/large"), "tried for the cache, then fetched, each time")
		assert.LessOrEqual(t, f.Stats().CacheUse, int64(250))
	})
	t.Run("other users have their own", func(t *testing.T) {
		before := w.times("/0")
		err := f.Fetch(t.Context(), Request{Command: command(cachedURI(w.URL + "/0")), Sandbox: sandbox(t), User: "nobody"})
		require.NoError(t, err)
		assert.Equal(t, before+1, w.times("/0"))
	})
	t.Run("no file has a name", func(t *testing.T) {
		left, err := os.ReadDir(filepath.Join(folder, "new"))
		require.NoError(t, err)
		assert.Empty(t, left)
	})
	t.Run("a failure is not kept", func(t *testing.T) {
		use := f.Stats().CacheUse
		require.ErrorContains(t, fetch(t, f, sandbox(t), cachedURI(w.URL+"/late")), "404")
		assert.Equal(t, use, f.Stats().CacheUse)
		w.files["/late"] = []byte("here now")
		get("/late")
	})
	t.Run("closing gives everything back", func(t *testing.T) {
		f.Close()
		assert.Zero(t, f.Stats().CacheUse)
	})
	t.Run("a folder that cannot be made is an error", func(t *testing.T) {
		_, err := New(Config{CacheDir: "/dev/null/x"})
		require.ErrorContains(t, err, "fetcher cache: ")
	})
}

func TestOneDownloadForAllWhoAsk(t *testing.T) {
	w := newWeb(t)
	goOn, arrived, gone := make(chan struct{}), make(chan struct{}, 10), make(chan struct{}, 10)
	w.handler["/slow"] = func(out http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-goOn:
			_, _ = out.Write([]byte("done"))
		case <-r.Context().Done():
			gone <- struct{}{}
		}
	}
	f := newFetcher(t, Config{CacheDir: t.TempDir()})
	waiting := func(want int) {
		require.Eventually(t, func() bool {
			f.cache.mu.Lock()
			defer f.cache.mu.Unlock()
			for _, e := range f.cache.entries {
				if e.element == nil {
					return e.users == want
				}
			}
			return want == 0
		}, 10*time.Second, time.Millisecond)
	}
	ask := func(ctx context.Context) (string, chan error) {
		box, done := sandbox(t), make(chan error, 1)
		go func() {
			done <- f.Fetch(ctx, Request{Command: command(cachedURI(w.URL + "/slow")), Sandbox: box})
		}()
		return box, done
	}
	t.Run("who asked first may leave", func(t *testing.T) {
		why := errors.New("destroyed")
		ctx, cancel := context.WithCancelCause(t.Context())
		_, first := ask(ctx)
		waiting(1)
		box, second := ask(t.Context())
		_, third := ask(t.Context())
		waiting(3)
		cancel(why)
		require.ErrorIs(t, <-first, why)
		<-arrived
		goOn <- struct{}{}
		require.NoError(t, <-second)
		require.NoError(t, <-third)
		assert.Equal(t, map[string]string{"slow": "done"}, tree(t, box))
		assert.Equal(t, 1, w.times("/slow"))
		f.cache.close()
	})
	t.Run("when all have left, it ends, and the next one begins anew", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, only := ask(ctx)
		<-arrived
		cancel()
		require.ErrorIs(t, <-only, context.Canceled)
		<-gone
		_, next := ask(t.Context())
		goOn <- struct{}{}
		require.NoError(t, <-next)
		assert.EqualValues(t, 4, f.Stats().CacheUse)
	})
}

func TestWhatIsInUseStays(t *testing.T) {
	c, err := newCache(t.TempDir(), 10)
	require.NoError(t, err)
	put := func(key, text string) (*entry, error) {
		return c.get(t.Context(), key, func(_ context.Context, _ func(int64) error, to io.Writer) error {
			_, err := io.WriteString(to, text)
			return err
		})
	}
	a, err := put("a", "12345678")
	require.NoError(t, err)
	_, err = put("b", "123")
	require.ErrorIs(t, err, errNoRoom)
	c.release(a)
	b, err := put("b", "123")
	require.NoError(t, err)
	_, used := c.figures()
	assert.EqualValues(t, 3, used)
	c.release(b)
	c.close()
	_, used = c.figures()
	assert.Zero(t, used)
}

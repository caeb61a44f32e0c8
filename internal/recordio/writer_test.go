package recordio_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/recordio"
)

// journal notes what it is asked, and fails from the write numbered failAt on.
type journal struct {
	calls  []string
	failAt int
	short  bool
}

var errFull = errors.New("no space")

func (j *journal) Write(p []byte) (int, error) {
	j.calls = append(j.calls, string(p))
	if j.failAt > 0 && len(j.calls) >= j.failAt {
		if j.short {
			return len(p) / 2, nil
		}
		return len(p) / 2, errFull
	}
	return len(p), nil
}

type flushing struct {
	journal
	err error
}

func (f *flushing) Flush() error {
	f.calls = append(f.calls, "flush")
	return f.err
}

type quietFlushing struct{ journal }

func (f *quietFlushing) Flush() { f.calls = append(f.calls, "flush") }

// responseWriter has both, as that of net/http.
type responseWriter struct {
	quietFlushing
	err error
}

func (r *responseWriter) FlushError() error {
	r.Flush()
	return r.err
}

func TestWriterWritesARecordAtOnce(t *testing.T) {
	t.Run("and flushes after it", func(t *testing.T) {
		to := &flushing{}
		w := recordio.NewWriter(to, 0)
		require.NoError(t, w.WriteRecord([]byte("hello")))
		require.NoError(t, w.WriteRecord(nil))
		require.NoError(t, w.WriteFunc(func(dst []byte) ([]byte, error) { return append(dst, "made in place"...), nil }))
		assert.Equal(t, []string{"5\nhello", "flush", "0\n", "flush", "13\nmade in place", "flush"}, to.calls)
	})
	t.Run("and flushes a writer that does not say how it went", func(t *testing.T) {
		to := &quietFlushing{}
		require.NoError(t, recordio.NewWriter(to, 0).WriteRecord([]byte("a")))
		assert.Equal(t, []string{"1\na", "flush"}, to.calls)
	})
	t.Run("and a bufio.Writer keeps nothing back", func(t *testing.T) {
		var to bytes.Buffer
		require.NoError(t, recordio.NewWriter(bufio.NewWriter(&to), 0).WriteRecord([]byte("a")))
		assert.Equal(t, "1\na", to.String())
	})
	t.Run("and does not keep the slice", func(t *testing.T) {
		to := &journal{}
		w := recordio.NewWriter(to, 0)
		record := []byte("abc")
		require.NoError(t, w.WriteRecord(record))
		copy(record, "xyz")
		require.NoError(t, w.WriteRecord([]byte("d")))
		assert.Equal(t, []string{"3\nabc", "1\nd"}, to.calls)
	})
}

func TestWriterOverHTTPSendsEachRecordAsOneChunk(t *testing.T) {
	records := []string{"short", strings.Repeat("long", 5000), "last"}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		w := recordio.NewWriter(rw, 0)
		for _, record := range records {
			assert.NoError(t, w.WriteRecord([]byte(record)))
		}
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)

	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	want := ""
	for _, record := range records {
		framed := recordio.Append(nil, []byte(record))
		want += fmt.Sprintf("%x\r\n%s\r\n", len(framed), framed)
	}
	assert.Equal(t, want+"0\r\n\r\n", body)
}

func TestWriterRefusesAndGoesOn(t *testing.T) {
	to := &flushing{}
	w := recordio.NewWriter(to, 4)
	require.NoError(t, w.WriteRecord([]byte("1234")))

	err := w.WriteRecord([]byte("12345"))
	require.ErrorIs(t, err, recordio.ErrTooLarge)
	assert.EqualError(t, err, "record 1: the record is longer than allowed: 5 bytes, at most 4")
	err = w.WriteFunc(func(dst []byte) ([]byte, error) { return append(dst, "123456"...), nil })
	assert.EqualError(t, err, "record 1: the record is longer than allowed: 6 bytes, at most 4")
	cannot := errors.New("cannot be encoded")
	err = w.WriteFunc(func(dst []byte) ([]byte, error) { return append(dst, "half"...), cannot })
	assert.Equal(t, cannot, err)

	require.NoError(t, w.WriteRecord([]byte("ok")))
	assert.Equal(t, []string{"4\n1234", "flush", "2\nok", "flush"}, to.calls, "what is refused leaves no trace")

	assert.ErrorIs(t, recordio.NewWriter(to, 0).WriteRecord(make([]byte, recordio.DefaultLimit+1)), recordio.ErrTooLarge)
}

func TestWriterIsDoneAfterAFailure(t *testing.T) {
	t.Run("of a write", func(t *testing.T) {
		to := &journal{failAt: 2}
		w := recordio.NewWriter(to, 4)
		require.NoError(t, w.WriteRecord([]byte("a")))
		err := w.WriteRecord([]byte("b"))
		require.ErrorIs(t, err, errFull)
		require.EqualError(t, err, "record 1: no space")
		assert.Equal(t, err, w.WriteRecord([]byte("c")))
		assert.Equal(t, err, w.WriteRecord([]byte("too long")), "the first error stays")
		assert.Equal(t, err, w.WriteFunc(func([]byte) ([]byte, error) {
			assert.Fail(t, "nothing is made for a stream that is dead")
			return nil, nil
		}))
		assert.Equal(t, []string{"1\na", "1\nb"}, to.calls)
	})
	t.Run("of a write that does not say so", func(t *testing.T) {
		w := recordio.NewWriter(&journal{failAt: 1, short: true}, 0)
		require.ErrorIs(t, w.WriteRecord([]byte("b")), io.ErrShortWrite)
		require.ErrorIs(t, w.WriteRecord([]byte("b")), io.ErrShortWrite)
	})
	t.Run("of a flush", func(t *testing.T) {
		to := &flushing{err: errFull}
		w := recordio.NewWriter(to, 0)
		require.ErrorIs(t, w.WriteRecord([]byte("b")), errFull)
		require.ErrorIs(t, w.WriteRecord([]byte("b")), errFull)
		assert.Equal(t, []string{"1\nb", "flush"}, to.calls)
	})
	t.Run("of a flush that has two names", func(t *testing.T) {
		w := recordio.NewWriter(&responseWriter{err: errFull}, 0)
		require.ErrorIs(t, w.WriteRecord([]byte("b")), errFull)
	})
	t.Run("of an HTTP connection", func(t *testing.T) {
		failed := make(chan error, 1)
		gone := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			w := recordio.NewWriter(rw, 0)
			err := w.WriteRecord([]byte("first"))
			<-gone
			for range 10_000 { // the kernel takes a few before it notices
				if err == nil {
					err = w.WriteRecord(make([]byte, 1<<16))
				}
			}
			failed <- err
		}))
		defer server.Close()
		answer, err := http.Get(server.URL)
		require.NoError(t, err)
		record, err := recordio.NewReader(answer.Body, 0).Next()
		require.NoError(t, err)
		assert.Equal(t, "first", string(record))
		require.NoError(t, answer.Body.Close())
		close(gone)
		var typed *recordio.Error
		require.ErrorAs(t, <-failed, &typed)
	})
}

func TestWriterTakesManyGoroutines(t *testing.T) {
	var to bytes.Buffer
	w := recordio.NewWriter(&to, 0)
	var want []string
	var done sync.WaitGroup
	for i := range 8 {
		for j := range 50 {
			want = append(want, strings.Repeat(fmt.Sprintf("%d.%d ", i, j), 1+i*j))
		}
		mine := want[i*50 : (i+1)*50]
		done.Go(func() {
			for _, record := range mine {
				assert.NoError(t, w.WriteRecord([]byte(record)))
			}
		})
	}
	done.Wait()
	got, err := all(t, &to, 0)
	require.NoError(t, err)
	sort.Strings(got)
	sort.Strings(want)
	assert.Equal(t, want, got)
}

func TestWriterKeepsNoLargeBuffer(t *testing.T) {
	w := recordio.NewWriter(io.Discard, 0)
	small := testing.AllocsPerRun(20, func() {
		assert.NoError(t, w.WriteFunc(func(dst []byte) ([]byte, error) { return append(dst, 'a'), nil }))
	})
	assert.Zero(t, small, "a small buffer is used again")
	var given int
	large := func(dst []byte) ([]byte, error) {
		given = cap(dst)
		return append(dst, make([]byte, 1<<20)...), nil
	}
	require.NoError(t, w.WriteFunc(large))
	require.NoError(t, w.WriteFunc(large))
	assert.Less(t, given, 1<<17, "a large one is given back")
}

func BenchmarkWriter(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			record := make([]byte, size)
			w := recordio.NewWriter(io.Discard, 0)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WriteRecord(record); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	stream := bytes.Repeat(recordio.Append(nil, make([]byte, 1<<10)), 1000)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		r := recordio.NewReader(bytes.NewReader(stream), 0)
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

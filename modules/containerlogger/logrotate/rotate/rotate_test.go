package rotate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func Example() {
	folder, _ := os.MkdirTemp("", "rotate")
	defer os.RemoveAll(folder)
	l, _ := openFile(Stream{File: filepath.Join(folder, "stdout"), MaxSize: 8, MaxFiles: 1}, &told{})
	l.write([]byte("one\ntwo\nthree\n"))
	_ = l.close() // it was only written to show it
	for _, name := range []string{"stdout.1", "stdout"} {
		text, _ := os.ReadFile(filepath.Join(folder, name))
		fmt.Printf("%s %q\n", name, text)
	}
	// Output:
	// stdout.1 "one\ntwo\n"
	// stdout "three\n"
}

// told keeps what is reported.
type told struct {
	faults []string
	bytes  int64
}

func (r *told) fault(err error)         { r.faults = append(r.faults, err.Error()) }
func (r *told) lost(n int64, why error) { r.bytes += n }

func opened(t testing.TB, s Stream) (*file, *told) {
	t.Helper()
	if s.File == "" {
		s.File = filepath.Join(t.TempDir(), "stdout")
	}
	report := &told{}
	l, err := openFile(s, report)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.f.Close() }) // a test may have done so
	return l, report
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	if !strings.HasSuffix(path, packed) {
		return string(text)
	}
	r, err := gzip.NewReader(bytes.NewReader(text))
	require.NoError(t, err)
	text, err = io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

// all is what is kept, from the oldest to the newest.
func (l *file) all(t testing.TB) string {
	t.Helper()
	var text strings.Builder
	for n := l.MaxFiles; n > 0; n-- {
		for _, extension := range []string{packed, ""} {
			if _, err := os.Stat(l.name(n, extension)); err == nil {
				text.WriteString(read(t, l.name(n, extension)))
			}
		}
	}
	return text.String() + read(t, l.File)
}

func TestWrite(t *testing.T) {
	t.Run("lines go whole where they fit", func(t *testing.T) {
		l, _ := opened(t, Stream{MaxSize: 10, MaxFiles: 9})
		for _, text := range []string{"1234567\n", "abc\n", "0123456789abcdef\n", "x\ny\n"} {
			l.write([]byte(text))
		}
		var parts []string
		for n := 4; n > 0; n-- {
			parts = append(parts, read(t, l.name(n, "")))
		}
		assert.Equal(t, []string{"1234567\n", "abc\n", "0123456789", "abcdef\nx\n"}, parts, "a line longer than a file begins a file of its own, and is cut")
		assert.Equal(t, "y\n", read(t, l.File))
	})
	t.Run("no count of files keeps nothing", func(t *testing.T) {
		l, report := opened(t, Stream{MaxSize: 8})
		l.write([]byte("one\ntwo\nthree\n"))
		assert.Equal(t, "three\n", read(t, l.File))
		assert.NoFileExists(t, l.name(1, ""))
		assert.Empty(t, report.faults)
		assert.Zero(t, report.bytes, "that is as it was wanted")
	})
	t.Run("whatever is written is kept in order, and within its bounds", func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		for round := range 40 {
			l, report := opened(t, Stream{MaxSize: 5 + random.Int64N(40), MaxFiles: 100, Compress: round%2 == 0})
			var want strings.Builder
			for want.Len() < 300 {
				line := strings.Repeat("x", random.IntN(60))
				if random.IntN(3) > 0 {
					line += "\n"
				}
				want.WriteString(line)
				l.write([]byte(line))
				require.LessOrEqual(t, l.size, l.MaxSize)
			}
			require.Equal(t, want.String(), l.all(t), round)
			require.Empty(t, report.faults)
		}
	})
}

func TestHalfWay(t *testing.T) {
	t.Run("a rotation that was cut off is picked up", func(t *testing.T) {
		folder := t.TempDir()
		put := func(name, text string) {
			if strings.HasSuffix(name, packed) {
				var out bytes.Buffer
				w := gzip.NewWriter(&out)
				_, err := w.Write([]byte(text))
				require.NoError(t, errors.Join(err, w.Close()))
				text = out.String()
			}
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
		}
		put("stdout.1", "packed already\n")
		put("stdout.1.gz", "packed already\n")
		put("stdout.1.gz.part", "a beginn")
		put("stdout.3", "older\n") // 2 is missing: it was between two renames
		put("stdout", "present\n")
		l, _ := opened(t, Stream{File: filepath.Join(folder, "stdout"), MaxSize: 10, MaxFiles: 4, Compress: true})
		assert.Equal(t, "older\npacked already\npresent\n", l.all(t))
		assert.NoFileExists(t, l.name(1, packed+part))
		l.write([]byte("future\n"))
		assert.Equal(t, "older\npacked already\npresent\nfuture\n", l.all(t))
	})
	t.Run("a file that is longer already is rotated with the first line", func(t *testing.T) {
		l, _ := opened(t, Stream{MaxSize: 1000, MaxFiles: 1})
		l.write([]byte(strings.Repeat("long\n", 100)))
		require.NoError(t, l.close())
		l, _ = opened(t, Stream{File: l.File, MaxSize: 100, MaxFiles: 1})
		l.write([]byte("next\n"))
		assert.Equal(t, "next\n", read(t, l.File))
		assert.Len(t, read(t, l.name(1, "")), 500)
	})
}

// What is in the way costs what it stands for, and never the bound.
func TestInTheWay(t *testing.T) {
	flood := func(l *file) {
		for range 100 {
			l.write([]byte("0123456789abcde\n"))
		}
	}
	t.Run("a folder with the name of an old file", func(t *testing.T) {
		l, report := opened(t, Stream{MaxSize: 160, MaxFiles: 1})
		require.NoError(t, os.MkdirAll(l.name(1, "")+"/full", 0o755))
		flood(l)
		assert.LessOrEqual(t, len(read(t, l.File)), 160)
		assert.NotEmpty(t, report.faults)
		assert.NotZero(t, report.bytes)
		assert.Contains(t, read(t, l.File), "bytes of output were lost here")
	})
	t.Run("the file was removed", func(t *testing.T) {
		l, report := opened(t, Stream{MaxSize: 160, MaxFiles: 2})
		l.write([]byte("first\n"))
		require.NoError(t, os.Remove(l.File))
		flood(l)
		assert.LessOrEqual(t, len(read(t, l.File)), 160, "there is one again")
		assert.Empty(t, report.faults)
	})
	t.Run("the folder was removed", func(t *testing.T) {
		l, _ := opened(t, Stream{MaxSize: 160, MaxFiles: 2})
		require.NoError(t, os.RemoveAll(filepath.Dir(l.File)))
		flood(l)
		info, err := l.f.Stat()
		require.NoError(t, err)
		assert.LessOrEqual(t, info.Size(), int64(160), "nobody sees it, and it does not grow")
	})
	t.Run("a link, a pipe where the next file goes", func(t *testing.T) {
		l, report := opened(t, Stream{MaxSize: 160, MaxFiles: 2, Compress: true})
		precious := filepath.Join(t.TempDir(), "precious")
		require.NoError(t, os.WriteFile(precious, []byte("kept"), 0o600))
		require.NoError(t, os.Symlink(precious, l.name(1, packed+part)))
		require.NoError(t, syscall.Mkfifo(l.name(1, ""), 0o600))
		flood(l)
		assert.Equal(t, "kept", read(t, precious))
		assert.Empty(t, report.faults)
		assert.Len(t, read(t, l.name(1, packed)), 160)
	})
}

func TestFullDisk(t *testing.T) {
	require.Zero(t, os.Geteuid(), "only root can mount a disk that is full soon")
	folder := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
	defer func() { assert.NoError(t, unix.Unmount(folder, unix.MNT_DETACH)) }()
	filler := filepath.Join(folder, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, 56<<10), 0o644))

	l, report := opened(t, Stream{File: filepath.Join(folder, "stdout"), MaxSize: 32 << 10, MaxFiles: 2})
	for range 1000 {
		l.write([]byte("0123456789abcde\n"))
	}
	require.Len(t, report.faults, 1, "once, however much is lost")
	assert.Contains(t, report.faults[0], "no space left on device")
	require.NoError(t, os.Remove(filler))
	l.write([]byte("space again\n"))
	text := read(t, l.File)
	assert.Regexp(t, `\[\d+ bytes of output were lost here: no space left on device\]\nspace again\n$`, text)
	assert.EqualValues(t, 16000, report.bytes+int64(strings.Count(text, "0123456789abcde\n")*16), "what is not there was told")
	require.NoError(t, l.close())
}

// piped is a pipe as the program has it: somebody else writes.
func piped(t *testing.T) (read *os.File, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f, path
}

func TestPipe(t *testing.T) {
	t.Run("that nobody opens is given up", func(t *testing.T) {
		from, _ := piped(t)
		l, _ := opened(t, Stream{MaxSize: 100})
		require.NoError(t, await(from, 20*time.Millisecond))
		assert.ErrorIs(t, pump(from, l), io.EOF)
	})
	t.Run("whose writer says nothing is not given up", func(t *testing.T) {
		from, path := piped(t)
		to, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		l, _ := opened(t, Stream{MaxSize: 100})
		require.NoError(t, await(from, 20*time.Millisecond))
		done := make(chan error)
		go func() { done <- pump(from, l) }()
		_, err = to.WriteString("at last\n")
		require.NoError(t, err)
		require.NoError(t, to.Close())
		require.ErrorIs(t, <-done, io.EOF)
		assert.Equal(t, "at last\n", read(t, l.File))
	})
	t.Run("whose writer has gone already is read to its end at once", func(t *testing.T) {
		from, path := piped(t)
		to, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = to.WriteString("short\n")
		require.NoError(t, errors.Join(err, to.Close()))
		began := time.Now()
		require.NoError(t, await(from, time.Hour))
		l, _ := opened(t, Stream{MaxSize: 100})
		require.ErrorIs(t, pump(from, l), io.EOF)
		assert.Less(t, time.Since(began), time.Minute)
		assert.Equal(t, "short\n", read(t, l.File))
	})
	t.Run("half lines wait for their rest, and not for long", func(t *testing.T) {
		from, path := piped(t)
		to, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		l, _ := opened(t, Stream{MaxSize: 12, MaxFiles: 9})
		done := make(chan error)
		go func() { done <- pump(from, l) }()
		for _, text := range []string{"0123456789\nab", "cdef\nprompt: "} {
			_, err := to.WriteString(text)
			require.NoError(t, err)
		}
		require.Eventually(t, func() bool { return strings.HasSuffix(read(t, l.File), "prompt: ") }, 10*time.Second, time.Millisecond)
		require.NoError(t, to.Close())
		require.ErrorIs(t, <-done, io.EOF)
		assert.Equal(t, "0123456789\nabcdef\nprompt: ", l.all(t))
	})
}

func BenchmarkWrite(b *testing.B) {
	for _, compress := range []bool{false, true} {
		b.Run(fmt.Sprint("compress=", compress), func(b *testing.B) {
			l, _ := opened(b, Stream{MaxSize: 1 << 20, MaxFiles: 2, Compress: compress})
			text := []byte(strings.Repeat("a line as a program writes it, more or less\n", 1000))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				l.write(text)
			}
		})
	}
}

package diskdu

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// du is what the program of that name says.
func du(t testing.TB, arguments ...string) uint64 {
	t.Helper()
	out, err := exec.Command("du", append([]string{"-s", "-B1", "-x"}, arguments...)...).Output()
	require.NoError(t, err)
	n, err := strconv.ParseUint(strings.Fields(string(out))[0], 10, 64)
	require.NoError(t, err)
	return n
}

func write(t testing.TB, path string, size int) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, make([]byte, size), 0o644))
}

func measured(t testing.TB, root string, excluded ...string) uint64 {
	t.Helper()
	n, err := measure(t.Context(), root, excluded)
	require.NoError(t, err)
	return n
}

func files(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(all)
}

func TestMeasure(t *testing.T) {
	t.Run("counts like du", func(t *testing.T) {
		root := t.TempDir()
		write(t, root+"/a", 10_000)
		write(t, root+"/folder/b", 1)
		write(t, root+"/folder/empty", 0)
		sparse, err := os.Create(root + "/sparse")
		require.NoError(t, err)
		require.NoError(t, sparse.Truncate(1<<30))
		require.NoError(t, sparse.Close())
		require.NoError(t, os.Link(root+"/a", root+"/folder/again"))
		require.NoError(t, os.Symlink("/usr", root+"/link"))
		require.NoError(t, unix.Mkfifo(root+"/fifo", 0o600))
		for n := range 2000 { // more than one read takes
			write(t, fmt.Sprintf("%s/wide/file-with-a-long-name-%d", root, n), n%3)
		}
		before := files(t)
		assert.Equal(t, du(t, root), measured(t, root))
		assert.Equal(t, before, files(t), "all files are closed")
	})
	t.Run("a deep and branching tree takes few files", func(t *testing.T) {
		root := t.TempDir()
		at := root
		for n := range 300 {
			write(t, at+"/before", n)
			write(t, at+"/side/file", n)
			at += "/d"
			require.NoError(t, os.Mkdir(at, 0o755))
			write(t, at+"/zz-after", n)
		}
		before := files(t)
		assert.Equal(t, du(t, root), measured(t, root))
		assert.Equal(t, before, files(t))
	})
	t.Run("deeper than a path can be long", func(t *testing.T) {
		root := t.TempDir()
		fd, err := unix.Open(root, unix.O_DIRECTORY, 0)
		require.NoError(t, err)
		name := strings.Repeat("d", 200)
		for range 100 {
			require.NoError(t, unix.Mkdirat(fd, name, 0o755))
			below, err := unix.Openat(fd, name, unix.O_DIRECTORY, 0)
			require.NoError(t, err)
			require.NoError(t, unix.Close(fd))
			fd = below
		}
		require.NoError(t, unix.Close(fd))
		assert.Equal(t, du(t, root), measured(t, root))
		require.NoError(t, exec.Command("rm", "-rf", root+"/"+name).Run())
	})
	t.Run("leaves out what is excluded, there only", func(t *testing.T) {
		root := t.TempDir()
		write(t, root+"/volume/big", 100_000)
		write(t, root+"/other/volume/big", 100_000)
		write(t, root+"/deep/in/it", 100_000)
		write(t, root+"/deep/inside", 5000)
		assert.Equal(t, du(t, "--exclude="+root+"/volume", "--exclude="+root+"/deep/in", root), measured(t, root, "volume", "deep/in"))
	})
	t.Run("does not go into other mounts", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root can mount")
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(root+"/sandbox/tmpfs", 0o755))
		require.NoError(t, os.MkdirAll(root+"/sandbox/bound", 0o755))
		alone := measured(t, root+"/sandbox")
		write(t, root+"/elsewhere/file", 100_000)
		require.NoError(t, unix.Mount("tmpfs", root+"/sandbox/tmpfs", "tmpfs", 0, "size=1m"))
		defer func() { assert.NoError(t, unix.Unmount(root+"/sandbox/tmpfs", unix.MNT_DETACH)) }()
		write(t, root+"/sandbox/tmpfs/file", 10_000)
		require.NoError(t, unix.Mount(root+"/elsewhere", root+"/sandbox/bound", "", unix.MS_BIND, ""))
		defer func() { assert.NoError(t, unix.Unmount(root+"/sandbox/bound", unix.MNT_DETACH)) }()
		sum := measured(t, root+"/sandbox")
		assert.LessOrEqual(t, sum, alone)
		assert.GreaterOrEqual(t, sum+2*8192, alone, "but for the two folders that are mounted upon")
	})
	t.Run("a link instead of the folder is refused", func(t *testing.T) {
		root := t.TempDir()
		require.NoError(t, os.Symlink("/usr", root+"/sandbox"))
		_, err := measure(t.Context(), root+"/sandbox", nil)
		assert.ErrorContains(t, err, "open "+root+"/sandbox")
	})
	t.Run("a folder that is not there is an error", func(t *testing.T) {
		_, err := measure(t.Context(), "/no/such/folder", nil)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("ends with ctx", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := measure(ctx, t.TempDir(), nil)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// What goes on in a sandbox while it is measured makes a figure, or a plain error.
func TestMeasureBusyTree(t *testing.T) {
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	deep := strings.Repeat("d/", keptOpen+8)
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			_ = os.MkdirAll(root+"/"+deep, 0o755)
			_ = os.WriteFile(root+"/d/file", make([]byte, n%9000), 0o644)
			_ = os.Rename(root+"/d/d", fmt.Sprintf("%s/moved-%d", root, n%4))
			_ = os.Remove(root + "/d/file")
			_ = os.RemoveAll(fmt.Sprintf("%s/moved-%d", root, (n+1)%4))
		}
	}()
	before := files(t)
	for range 300 {
		if _, err := measure(t.Context(), root, nil); err != nil {
			require.ErrorIs(t, err, errMoved)
		}
	}
	cancel()
	<-done
	assert.LessOrEqual(t, files(t), before+1)
}

func TestManyNamesTakeTheirShare(t *testing.T) {
	w := &walk{seen: map[uint64]struct{}{}}
	for n := range uint64(remembered) {
		w.seen[n] = struct{}{}
	}
	st := &unix.Statx_t{Ino: remembered + 1, Nlink: 4, Blocks: 80}
	assert.EqualValues(t, 80*blockBytes/4, w.bytesOf(st, false))
	st.Ino = 1
	assert.Zero(t, w.bytesOf(st, false), "this one is remembered")
}

func BenchmarkMeasure(b *testing.B) {
	for _, n := range []int{5, 1000} {
		root := b.TempDir()
		for n := range n {
			write(b, fmt.Sprintf("%s/folder-%d/file-%d", root, n%30, n), 10)
		}
		for _, c := range []struct {
			name string
			run  func() error
		}{
			{"walk", func() error { _, err := measure(b.Context(), root, nil); return err }},
			{"du", func() error { return exec.Command("du", "-s", root).Run() }},
		} {
			b.Run(fmt.Sprintf("%s/files=%d", c.name, n), func(b *testing.B) {
				for b.Loop() {
					if err := c.run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

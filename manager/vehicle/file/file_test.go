package file

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

func write(t *testing.T, path, content string, mode os.FileMode) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	require.NoError(t, os.Chmod(path, mode)) // whatever the umask
	return path
}

func TestLook(t *testing.T) {
	t.Run("says what a file is, however it is spelled", func(t *testing.T) {
		dir := t.TempDir()
		path := write(t, filepath.Join(dir, "a file: one, two.so"), "content", 0o644)
		require.NoError(t, os.Symlink(path, filepath.Join(dir, "link.so")))

		direct, err := Look(path, Options{})
		require.NoError(t, err)
		linked, err := Look(filepath.Join(dir, ".", "link.so"), Options{})
		require.NoError(t, err)

		assert.Equal(t, path, direct.Path)
		assert.EqualValues(t, 7, direct.Size)
		assert.NotZero(t, direct.Identity.Inode)
		assert.Equal(t, direct.Identity, linked.Identity)
		assert.Equal(t, direct.Digest, linked.Digest)
	})
	t.Run("makes a relative path absolute", func(t *testing.T) {
		t.Chdir(t.TempDir())
		write(t, "lib.so", "x", 0o600)
		f, err := Look("lib.so", Options{})
		require.NoError(t, err)
		assert.True(t, filepath.IsAbs(f.Path), f.Path)
	})

	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string) string
		want string
	}{
		{"a missing file", func(t *testing.T, dir string) string { return filepath.Join(dir, "none.so") }, "does not exist"},
		{"a link that leads nowhere", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "link.so")
			require.NoError(t, os.Symlink("none.so", path))
			return path
		}, "leads nowhere"},
		{"a folder", func(t *testing.T, dir string) string { return dir }, "is a folder and not a library"},
		{"a named pipe, without waiting for a writer", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "pipe.so")
			require.NoError(t, syscall.Mkfifo(path, 0o600))
			return path
		}, "is a named pipe and not a library"},
		{"a socket", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "s")
			l, err := net.Listen("unix", path)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, l.Close()) })
			return path
		}, "is a socket and not a library"},
		{"a device", func(*testing.T, string) string { return "/dev/null" }, "is a device and not a library"},
		{"a file below a file", func(t *testing.T, dir string) string {
			return filepath.Join(write(t, filepath.Join(dir, "a"), "x", 0o600), "lib.so")
		}, "cannot be opened"},
		{"an empty file", func(t *testing.T, dir string) string { return write(t, filepath.Join(dir, "a.so"), "", 0o600) }, "is empty"},
		{"a file without any read permission", func(t *testing.T, dir string) string {
			return write(t, filepath.Join(dir, "a.so"), "x", 0o300)
		}, "its permissions forbid it"},
		{"an absurdly large file", func(t *testing.T, dir string) string {
			path := write(t, filepath.Join(dir, "a.so"), "x", 0o600)
			require.NoError(t, os.Truncate(path, MaxSize+1)) // sparse: it takes no room
			return path
		}, "more than 2147483648 are not read"},
		{"a file that everybody may write to", func(t *testing.T, dir string) string {
			return write(t, filepath.Join(dir, "a.so"), "x", 0o646)
		}, "can be written by everybody"},
		{"a file in a folder that everybody may write to", func(t *testing.T, dir string) string {
			require.NoError(t, os.Chmod(dir, 0o777))
			return write(t, filepath.Join(dir, "a.so"), "x", 0o644)
		}, "lies in the folder"},
		{"a link to a file in such a folder", func(t *testing.T, dir string) string {
			open := filepath.Join(dir, "open")
			require.NoError(t, os.Mkdir(open, 0o700))
			require.NoError(t, os.Chmod(open, 0o777))
			path := filepath.Join(dir, "link.so")
			require.NoError(t, os.Symlink(write(t, filepath.Join(open, "a.so"), "x", 0o644), path))
			return path
		}, "lies in the folder"},
	} {
		t.Run("refuses "+c.name, func(t *testing.T) {
			path := c.make(t, t.TempDir())
			_, err := Look(path, Options{})
			var refusal *vehicle.Refusal
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, finding.LibraryFile, refusal.Rule)
			assert.Contains(t, refusal.Problem, c.want)
			assert.Contains(t, refusal.Problem, path)
			assert.NotEmpty(t, refusal.Mend)
		})
	}

	t.Run("refuses what the kernel does not let this user read", func(t *testing.T) {
		// The superuser may read everything, so the kernel's answer is given
		// here by hand.
		err := unopened("/lib.so", &os.PathError{Op: "open", Path: "/lib.so", Err: syscall.EACCES})
		assert.ErrorContains(t, err, "/lib.so must not be read: its permissions forbid it")
		assert.ErrorIs(t, err, os.ErrPermission)
	})
	t.Run("accepts world-writable files and folders when told to", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o777))
		f, err := Look(write(t, filepath.Join(dir, "a.so"), "x", 0o666), Options{AllowWorldWritable: true})
		require.NoError(t, err)
		assert.EqualValues(t, 1, f.Size)
	})
	t.Run("accepts a folder like /tmp, whose sticky bit keeps files to their owners", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o777|os.ModeSticky))
		f, err := Look(write(t, filepath.Join(dir, "a.so"), "x", 0o644), Options{})
		require.NoError(t, err)
		assert.EqualValues(t, 1, f.Size)
	})
}

func TestSame(t *testing.T) {
	look := func(t *testing.T) (string, vehicle.File) {
		path := write(t, filepath.Join(t.TempDir(), "a.so"), "content", 0o644)
		f, err := Look(path, Options{})
		require.NoError(t, err)
		return path, f
	}
	t.Run("admits the file that was looked at", func(t *testing.T) {
		path, f := look(t)
		require.NoError(t, os.Chmod(path, 0o666)) // decided by Look
		assert.NoError(t, Same(f))
	})
	t.Run("notices another file of equal content in its place", func(t *testing.T) {
		path, f := look(t)
		other := write(t, path+".new", "content", 0o644)
		require.NoError(t, os.Rename(other, path))
		assert.ErrorContains(t, Same(f), "is another file now")
	})
	t.Run("notices another content of equal length", func(t *testing.T) {
		path, f := look(t)
		write(t, path, "kontent", 0o644)
		assert.ErrorContains(t, Same(f), "has another content now")
	})
	t.Run("notices another length", func(t *testing.T) {
		path, f := look(t)
		write(t, path, "content and more", 0o644)
		assert.ErrorContains(t, Same(f), "has another content now")
	})
	t.Run("reads nothing again of which the system has noted no change", func(t *testing.T) {
		f, err := Look("file.go", Options{AllowWorldWritable: true}) // it is old: nothing has happened to it for a while
		require.NoError(t, err)
		require.NotZero(t, f.Changed)
		f.Digest = [32]byte{}
		require.NoError(t, Same(f))
		f.Changed--
		assert.ErrorContains(t, Same(f), "has another content now")
		f.Changed = 0
		assert.ErrorContains(t, Same(f), "has another content now")
	})
	t.Run("notices another content whose times were set back", func(t *testing.T) {
		path, f := look(t)
		opened, err := os.Open(path)
		require.NoError(t, err)
		defer opened.Close()
		f.Changed = changedAt(opened)
		assert.Zero(t, settledAt(opened, time.Unix(0, f.Changed).Add(step)), "the next change may be noted with the same time")
		assert.Equal(t, f.Changed, settledAt(opened, time.Unix(0, f.Changed).Add(step+1)))
		times := time.Unix(0, f.Changed)
		require.Eventually(t, func() bool { // the clock for files goes in steps
			write(t, path, "kontent", 0o644)
			require.NoError(t, os.Chtimes(path, times, times))
			return changedAt(opened) != f.Changed
		}, 10*time.Second, time.Millisecond)
		assert.ErrorContains(t, Same(f), "has another content now")
	})
	t.Run("notices that the file is gone", func(t *testing.T) {
		path, f := look(t)
		require.NoError(t, os.Remove(path))
		assert.ErrorContains(t, Same(f), "does not exist")
	})
}

func TestDigest(t *testing.T) {
	t.Run("notices a file that grows while it is read", func(t *testing.T) {
		f, err := os.Open(write(t, filepath.Join(t.TempDir(), "a"), "content", 0o600))
		require.NoError(t, err)
		defer f.Close() //nolint:errcheck // nothing was written
		_, err = digest(f, 3)
		assert.ErrorContains(t, err, "it changes while it is read")
	})
}

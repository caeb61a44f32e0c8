package spawn_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
)

// program compiles one that exits with a status and is small.
func program(t *testing.T, path, status string) vehicle.File {
	t.Helper()
	source := filepath.Join(t.TempDir(), "main.c")
	require.NoError(t, os.WriteFile(source, []byte("int main(void) { return "+status+"; }\n"), 0o644))
	out, err := exec.Command("gcc", "-o", path, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return look(t, path)
}

func look(t *testing.T, path string) vehicle.File {
	t.Helper()
	f, err := file.Look(path, file.Options{})
	require.NoError(t, err)
	return f
}

func open(t *testing.T, f vehicle.File) *spawn.Image {
	t.Helper()
	i, err := spawn.Open(f)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, i.Close()) })
	return i
}

func TestImage(t *testing.T) {
	t.Run("is what runs, also where the path leads elsewhere by now", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "program")
		i := open(t, program(t, path, "41"))
		require.NoError(t, os.Rename(path, path+".old"))
		program(t, path, "42")
		for range 2 {
			assert.Equal(t, "exit status 41", end(t, start(t, spawn.Spec{Image: i})).detail)
		}
		require.NoError(t, os.Remove(path+".old"))
		assert.Equal(t, "exit status 41", end(t, start(t, spawn.Spec{Image: i})).detail)
		assert.NoError(t, i.Unchanged())
	})
	t.Run("replaced before it was opened is refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "program")
		f := program(t, path, "41")
		require.NoError(t, os.Remove(path))
		program(t, path, "42")
		_, err := spawn.Open(f)
		assert.ErrorContains(t, err, "than ") // another file, or another content where the number is used again
		var refusal *vehicle.Refusal
		assert.ErrorAs(t, err, &refusal)
	})
	t.Run("written to after it was opened is not run", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "program")
		i := open(t, program(t, path, "41"))
		require.NoError(t, i.Unchanged())
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		content[len(content)-1]++
		require.NoError(t, os.WriteFile(path, content, 0))
		assert.ErrorContains(t, i.Unchanged(), "has another content now than when it was verified")
		_, err = spawn.Start(t.Context(), spawn.Spec{Image: i, Name: "victim"})
		assert.ErrorContains(t, err, "has another content now than when it was verified")
	})
}

func TestNotRunnable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	for _, c := range []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"a text", "hello, world", 0o755, "it is no executable"},
		{"short", "x", 0o755, "it is no executable"},
		{"a script", "#!/bin/sh\nexit 0\n", 0o755, "it is a script, and what runs then is another file"},
		{"half an executable", "\x7fELF", 0o755, "it is no executable for this machine; build it for this operating system and architecture"},
		{"not permitted", "\x7fELF", 0o644, "nobody may execute it; run chmod +x on it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, []byte(c.content), 0o755))
			require.NoError(t, os.Chmod(path, c.mode))
			for _, confinement := range []vehicle.Confinement{{}, {OpenFiles: 64}} {
				_, err := spawn.Start(t.Context(), spawn.Spec{Image: open(t, look(t, path)), Name: "victim", Confinement: confinement})
				var told *spawn.StartError
				require.ErrorAs(t, err, &told)
				assert.Equal(t, path, told.Path)
				assert.ErrorContains(t, err, path+" cannot be started: "+c.want)
			}
		})
	}
	t.Run("open for writing", func(t *testing.T) {
		i := open(t, program(t, path, "0"))
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		defer w.Close() //nolint:errcheck // nothing was written
		for _, confinement := range []vehicle.Confinement{{}, {OpenFiles: 64}} {
			_, err = spawn.Start(t.Context(), spawn.Spec{Image: i, Name: "victim", Confinement: confinement})
			assert.ErrorContains(t, err, "somebody has it open for writing")
		}
	})
	t.Run("its program loader is missing", func(t *testing.T) {
		source := filepath.Join(t.TempDir(), "main.c")
		require.NoError(t, os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644))
		other := filepath.Join(t.TempDir(), "other")
		out, err := exec.Command("gcc", "-Wl,--dynamic-linker=/lib/ld-elsewhere.so", "-o", other, source).CombinedOutput()
		require.NoError(t, err, "%s", out)
		for _, confinement := range []vehicle.Confinement{{}, {OpenFiles: 64}} {
			_, err = spawn.Start(t.Context(), spawn.Spec{Image: open(t, look(t, other)), Name: "victim", Confinement: confinement})
			assert.ErrorContains(t, err, "the program loader that it names is not on this machine")
		}
	})
}

package process_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

func TestRecognise(t *testing.T) {
	hello := build(t, "hello")
	copied := func(change func([]byte) []byte, mode os.FileMode) string {
		content, err := os.ReadFile(hello)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "program")
		require.NoError(t, os.WriteFile(path, change(content), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	same := func(b []byte) []byte { return b }

	for name, path := range map[string]string{
		"a program":      hello,
		"a stripped one": build(t, "hello", "-ldflags=-s -w"),
	} {
		t.Run(name+" that serves a library is one", func(t *testing.T) {
			d, ok, err := newFixture().Recognise(look(t, path))
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, vehicle.Process, d.Vehicle)
			assert.False(t, d.Complete)
			assert.Equal(t, "go", d.Build[0].Key)
		})
	}

	machine := func(b []byte) []byte { b[18] = 0xf3; return b }
	for _, c := range []struct {
		name, path string
		rule       finding.Rule
		says       string
	}{
		{"a Go program of ours without a library", build(t, "idle"), finding.Handshake, "the Go program serves no library; let its main call serve.Main"},
		{"a Go program of somebody else's", stranger(t), finding.Handshake, "without any Mesos module in it"},
		{"one for another machine", copied(machine, 0o755), finding.LibraryBuild, "for another machine: EM_RISCV"},
		{"one that is cut short", copied(func(b []byte) []byte { return b[:len(b)/2] }, 0o755), finding.LibraryFormat, "the program is damaged"},
		{"one that may not be run", copied(same, 0o644), finding.LibraryFile, "chmod +x"},
	} {
		t.Run(c.name+" is refused", func(t *testing.T) {
			_, ok, err := newFixture().Recognise(look(t, c.path))
			assert.True(t, ok)
			var r *vehicle.Refusal
			require.ErrorAs(t, err, &r)
			assert.Equal(t, c.rule, r.Rule)
			assert.Contains(t, r.Error(), c.says)
		})
	}

	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte("#!/bin/sh\n"), 0o700))
	for name, path := range map[string]string{
		"a script": text, "a program of another language": "/bin/true", "a native library": compile(t, "init.c", "-DINIT="),
	} {
		t.Run(name+" is for other vehicles", func(t *testing.T) {
			_, ok, err := newFixture().Recognise(look(t, path))
			require.NoError(t, err)
			assert.False(t, ok)
		})
	}
	t.Run("so is what is not there", func(t *testing.T) {
		_, ok, err := newFixture().Recognise(vehicle.File{Path: "/nowhere"})
		require.NoError(t, err)
		assert.False(t, ok)
	})

	t.Run("the mark is found wherever it is, and this binary's own is not in what looks for it", func(t *testing.T) {
		mark := process.Mark()
		for _, at := range []int{0, 1, process.Chunk - 1, process.Chunk - len(mark) + 1, process.Chunk, 2*process.Chunk - 3} {
			content := append(bytes.Repeat([]byte{'m'}, at), mark...)
			found, err := process.Contains(bytes.NewReader(content))
			require.NoError(t, err)
			assert.True(t, found, at)
			found, err = process.Contains(bytes.NewReader(content[:len(content)-1]))
			require.NoError(t, err)
			assert.False(t, found, at)
		}
	})
}

// stranger builds a program outside of this module.
func stranger(t *testing.T) string {
	dir := t.TempDir()
	content, err := os.ReadFile("testdata/idle/main.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), content, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/idle\n"), 0o600))
	cmd := exec.Command("go", "build", "-o", "idle")
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	return filepath.Join(dir, "idle")
}

// FuzzRecognise feeds what is no program, or no longer one.
func FuzzRecognise(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"))
	f.Add(append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), process.Mark()...))
	x := newFixture()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(path, content, 0o700))
		_, ok, err := x.Recognise(vehicle.File{Path: path, Size: int64(len(content)), Mode: 0o700})
		assert.True(t, ok || err == nil)
	})
}

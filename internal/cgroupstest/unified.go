package cgroupstest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	lib "github.com/opencontainers/cgroups"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/roles/anonymous"
)

// Unified stands in for the root module: it gives out plain folders that look like
// groups of version 2, in which no kernel does anything.
type Unified struct {
	anonymous.Unimplemented
	Dir string

	t testing.TB
}

// NewUnified returns a stand-in, and a library that holds it under the name and version
// of the module. While the test runs the library of control groups takes any folder for
// a group, so it must not run beside others.
func NewUnified(t testing.TB, module string) (*Unified, facade.Library) {
	t.Helper()
	lib.TestMode = true
	t.Cleanup(func() { lib.TestMode = false })
	u := &Unified{Dir: t.TempDir(), t: t}
	return u, moduletest.StandIn[anonymous.Anonymous](module, "1.0.0", u)
}

// Export implements facade.Exporter.
func (u *Unified) Export() any { return u }

// Provide, Unified, Top, Recover, Take, Folder, Place and Release are what the isolators
// ask of the root module.
func (u *Unified) Provide(...string) error { return nil }
func (u *Unified) Unified() bool           { return true }
func (u *Unified) Top(string) string       { return u.Dir }
func (u *Unified) Recover(context.Context, string, []*mesosv1.ContainerID) error {
	return nil
}

func (u *Unified) Take(_ context.Context, _ string, id *mesosv1.ContainerID) error {
	if err := os.MkdirAll(u.folder(id), 0o755); err != nil {
		return err
	}
	u.Write(id.GetValue(), "cgroup.controllers", "cpu memory pids\n")
	return nil
}

func (u *Unified) Folder(id *mesosv1.ContainerID, _ string) string {
	if _, err := os.Stat(u.folder(id)); err != nil {
		return ""
	}
	return u.folder(id)
}

func (u *Unified) Place(context.Context, *mesosv1.ContainerID, int32) error { return nil }

func (u *Unified) Release(_ context.Context, _ string, id *mesosv1.ContainerID) error {
	return os.RemoveAll(u.folder(id))
}

func (u *Unified) folder(id *mesosv1.ContainerID) string {
	return filepath.Join(u.Dir, id.GetValue())
}

// Write writes a file of a group, as the kernel would.
func (u *Unified) Write(group, file, text string) {
	u.t.Helper()
	require.NoError(u.t, os.WriteFile(filepath.Join(u.Dir, group, file), []byte(text), 0o644))
}

// Read returns what is in a file of a group; empty if nobody has written it.
func (u *Unified) Read(group, file string) string {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.Dir, group, file))
	if !os.IsNotExist(err) {
		require.NoError(u.t, err)
	}
	return strings.TrimSpace(string(text))
}

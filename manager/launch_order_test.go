package manager_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
)

func TestLaunchOrder(t *testing.T) {
	want := names(12)
	for i := range 100 {
		v := newIsolating(t)
		release := map[string]chan struct{}{}
		for _, n := range want {
			release[n] = make(chan struct{})
		}
		v.launch = func(_ context.Context, name string) error { <-release[name]; return nil }
		mf := v.apart(want...)
		mf.Libraries[5].Isolation, mf.Libraries[8].Isolation = manifest.IsolationNone, manifest.IsolationNone
		go func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for at := 0; at < len(want); at += manager.SideBySide() { // those that can be under way
				some := slices.Clone(want[at:min(at+manager.SideBySide(), len(want))])
				random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
				for _, n := range some {
					close(release[n])
				}
			}
		}()
		f := v.manager(func(cfg *manager.Config) { cfg.Bindings = calculators(want...) })
		require.NoError(t, f.Load(t.Context(), mf))
		require.Equal(t, want, pathsOf(f), "the books have the order of the manifest")
		require.NoError(t, f.Verify(t.Context()))
		require.NoError(t, f.Close())
		var ended []string
		for _, e := range lifecycle.Of[lifecycle.StepEnded](f.events.Events()) {
			if e.Phase == lifecycle.Teardown && e.Step == "close" {
				ended = append(ended, filepath.Base(e.Library))
			}
		}
		slices.Reverse(ended)
		require.Equal(t, want, ended, "teardown is the mirror image of the manifest")
		require.Zero(t, v.running())
	}
}

func TestLaunchThousand(t *testing.T) {
	v := newIsolating(t)
	all := names(1000)
	v.declare = func(name string) (c testharness.Calculator) {
		if i := slices.Index(all, name); i >= 10 {
			c.Requires = append(c.Requires, testharness.Requires(all[i-10], ""))
		}
		return c
	}
	f := v.manager(func(cfg *manager.Config) {
		cfg.Manifests, cfg.Bindings = []manifest.Manifest{v.apart(all...)}, calculators(all...)
	})
	require.NoError(t, f.Start(t.Context()))
	assert.Equal(t, 1000, v.running())
	assert.Equal(t, all, pathsOf(f))
	require.NoError(t, f.Close())
	assert.Zero(t, v.running())
	var closed []string
	for _, line := range v.journal.Lines() {
		if name, ok := strings.CutPrefix(line, "close "); ok {
			closed = append(closed, name)
		}
	}
	slices.Reverse(closed)
	assert.Equal(t, all, closed, "modules are closed in the reverse of the plan's order")
}

package cgroupstest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	root "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupscpu"
	"github.com/mesos-modules/mms/modules/isolator/cgroupsmem"
	"github.com/mesos-modules/mms/modules/isolator/cgroupspids"
	"github.com/mesos-modules/mms/modules/isolator/posixcpu"
	"github.com/mesos-modules/mms/modules/isolator/posixmem"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Chains are the sets of isolators that benchmarks compare, in the order of an agent's.
var Chains = []struct {
	Name      string
	Libraries []facade.Library
}{
	{"posix", []facade.Library{posixcpu.Library, posixmem.Library}},
	{"cgroups", []facade.Library{cgroupscpu.Library, cgroupsmem.Library, cgroupspids.Library}},
	{"all", []facade.Library{posixcpu.Library, posixmem.Library, cgroupscpu.Library, cgroupsmem.Library, cgroupspids.Library}},
}

// Chain makes isolators over one root module, as an agent does, and recovers them.
func Chain(t testing.TB, libraries []facade.Library) []isolator.Isolator {
	t.Helper()
	h := &host{}
	groups, err := root.Library.Modules[0].Declare().New(t.Context(), h, facade.Parameters{{Key: "cgroups_root", Value: Root(t)}})
	require.NoError(t, err)
	h.root = groups
	t.Cleanup(func() { assert.NoError(t, groups.(facade.Closer).Close(context.Background())) })
	var all []isolator.Isolator
	for _, library := range libraries {
		made, err := library.Modules[0].Declare().New(t.Context(), h, nil)
		require.NoError(t, err)
		if closer, ok := made.(facade.Closer); ok {
			t.Cleanup(func() { assert.NoError(t, closer.Close(context.Background())) })
		}
		i := made.(isolator.Isolator)
		require.NoError(t, i.Recover(t.Context(), nil, nil))
		all = append(all, i)
	}
	return all
}

// host hands in the root module.
type host struct {
	facade.Host
	root any
}

func (*host) Logger() *slog.Logger             { return slog.New(slog.DiscardHandler) }
func (h *host) Requirement(string) (any, bool) { return h.root, h.root != nil }
func (h *host) Export(string) (any, bool)      { return h.root.(facade.Exporter).Export(), true }

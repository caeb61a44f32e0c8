package bridge_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// answerFunc answers the calls of an echo.
type answerFunc func(method string, ctx context.Context, in ...any) (out []any, err error)

// pair is a daemon's side and a module's, over a link within this process.
type pair struct{ daemon, module *wire.Conn }

func hello() wire.Hello { return wire.Hello{Mesos: "1.12.0", Roles: bridge.Roles()} }

// newPair connects two sides and has them greet each other.
func newPair(t testing.TB, daemon, module wire.Config) pair {
	t.Helper()
	ours, theirs, err := link.Pair()
	require.NoError(t, err)
	p := pair{wire.NewConn(daemon), wire.NewConn(module)}
	started := make(chan error, 1)
	go func() { started <- p.module.Start(theirs, link.Options{}) }()
	require.NoError(t, p.daemon.Start(ours, link.Options{}))
	require.NoError(t, <-started)
	t.Cleanup(func() {
		require.NoError(t, p.daemon.Close())
		require.NoError(t, p.module.Close())
	})
	require.NoError(t, p.daemon.Greet(t.Context()))
	return p
}

func samePair(t testing.TB) pair {
	return newPair(t, wire.Config{Hello: hello()}, wire.Config{Hello: hello()})
}

// stub has the module's side lend an instance, and returns what the daemon's has of it.
func (p pair) stub(t testing.TB, role string, instance any) any {
	t.Helper()
	servant, ok := bridge.Servant(role, instance)
	require.True(t, ok, "role %s and a %T", role, instance)
	stub, ok := bridge.Stub(role, p.daemon.Remote(p.module.Export(servant)))
	require.True(t, ok)
	return stub
}

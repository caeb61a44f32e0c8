package wire_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// pair is two sides that are connected within this process.
type pair struct{ daemon, module *wire.Conn }

// linked connects two sides by a link.
func linked(t testing.TB, daemon, module wire.Config) pair {
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
	return p
}

// remote has the module lend a servant, and returns what the daemon has of it.
func (p pair) remote(s wire.ServantFunc) *wire.Remote { return p.daemon.Remote(p.module.Export(s)) }

// carrier takes the place of a link. It calls the handler, if there is one, and its
// answers and arguments can be changed on the way.
type carrier struct {
	answer func(ctx context.Context, object uint64, method string, args []byte) ([]byte, error)
	once   sync.Once
	done   chan struct{}
}

func (c *carrier) Call(ctx context.Context, object uint64, method string, args []byte) ([]byte, error) {
	select {
	case <-c.done:
		return nil, errors.Join(link.ErrEnded, c.Err())
	default:
		return c.answer(ctx, object, method, args)
	}
}

func (c *carrier) Close() error          { c.once.Do(func() { close(c.done) }); return nil }
func (c *carrier) Done() <-chan struct{} { return c.done }
func (c *carrier) Err() error            { return errCarrier }

var errCarrier = errors.New("the carrier was closed")

// faked returns a side whose other one is a function.
func faked(t testing.TB, config wire.Config, answer func(ctx context.Context, object uint64, method string, args []byte) ([]byte, error)) *wire.Conn {
	c := wire.NewConn(config)
	c.StartOn(&carrier{answer: answer, done: make(chan struct{})})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

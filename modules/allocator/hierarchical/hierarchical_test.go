package hierarchical_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/roles/allocator"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, hierarchical.Library, hierarchical.Name)
}

func TestBehaviours(t *testing.T) {
	moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator {
		return moduletest.Load[allocator.Allocator](moduletest.New(t, hierarchical.Library), hierarchical.Name)
	})
}

func TestBehavioursWithoutHandle(t *testing.T) {
	moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator { return create(t) })
}

// host is a daemon that gives no more than the module asks for.
type host struct {
	facade.Host
	life context.Context
}

func (h host) Lifetime() context.Context { return h.life }
func (h host) Logger() *slog.Logger      { return slog.New(slog.DiscardHandler) }

// create returns the instance itself, which is closed with the test.
func create(t *testing.T, parameters ...facade.Parameter) allocator.Allocator {
	instance, err := hierarchical.Library.Modules[0].Declare().New(t.Context(), host{life: context.Background()}, parameters)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, instance.(facade.Closer).Close(context.Background()))
		require.NoError(t, instance.(facade.Closer).Close(context.Background()), "closing again does nothing")
	})
	return instance.(allocator.Allocator)
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

package master

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/registry"
	"github.com/mesos-modules/mms/roles/allocator"
)

// settled is a registry that answers at once.
type settled struct {
	Registry
	errs []error
	err  error
}

func (s settled) Apply(context.Context, []core.RegistryChange) ([]error, error) { return s.errs, s.err }

// TestAnswers is about who hears what came of a call.
func TestAnswers(t *testing.T) {
	refused, broken := errors.New("it is there already"), errors.New("no space left")
	events := func(m *Master) (all []core.Event) {
		for _, i := range m.queue.take() {
			all = append(all, i.event)
		}
		return all
	}
	t.Run("changes of the registry, each its own answer", func(t *testing.T) {
		stores := []core.Store{{Ticket: 7}, {Ticket: 8}}
		m := bare(Config{Registry: settled{Registry: registry.InMemory(), errs: []error{nil, refused}}})
		m.registrar.write(stores)
		assert.Equal(t, []core.Event{core.RegistryStored{Ticket: 7}, core.RegistryStored{Ticket: 8, Err: refused, Refused: true}}, events(m))

		m = bare(Config{Registry: settled{err: broken}})
		m.registrar.write(stores)
		assert.Equal(t, []core.Event{core.RegistryStored{Ticket: 7, Err: broken}, core.RegistryStored{Ticket: 8, Err: broken}}, events(m))
	})
	t.Run("a registry that does not answer all is not believed", func(t *testing.T) {
		m := bare(Config{Registry: settled{errs: []error{nil}}})
		m.registrar.write([]core.Store{{Ticket: 7}, {Ticket: 8}})
		for _, e := range events(m) {
			assert.EqualError(t, e.(core.RegistryStored).Err, "the registry has answered 1 of 2 changes")
		}
	})
	t.Run("calls of the allocator, if somebody asks", func(t *testing.T) {
		m := bare(Config{})
		for _, ticket := range []core.Ticket{0, 5} {
			m.allocator.make(core.Allocate{Ticket: ticket, Do: func(context.Context, allocator.Allocator) error { return refused }})
		}
		assert.Equal(t, []core.Event{core.Allocated{Ticket: 5, Err: refused}}, events(m))
	})
	t.Run("a master that stops does not hear that its clients have gone", func(t *testing.T) {
		stopped, stop := context.WithCancel(t.Context())
		m := bare(Config{})
		m.c.Stopping = stopped
		calls := 0
		m.c.Fail = func(error) { calls++ }
		stop()
		assert.True(t, m.stopping())
		m.handle(core.AgentExited{})
		m.handle(core.StreamGone{Stream: "s"})
		assert.Zero(t, calls)
		assert.Empty(t, events(m))
	})
}

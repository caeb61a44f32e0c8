package moduletest

import (
	"context"
	"fmt"
	"os/exec"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// ContainerConfig is what the conformance suites of isolators and containerizers launch,
// for those that cannot do with an empty sandbox, and no image. A containerizer's suite
// puts folder and command of its own into it; an image has sh, setsid, sleep and touch.
func ContainerConfig(c *slave.ContainerConfig) Option {
	return func(s *settings) { s.container = c }
}

func isolatorChecks() []check {
	return []check{
		{"Cleanup does nothing for containers that this isolator has never seen", func(b *bench) {
			_, i := loaded[isolator.Isolator](b)
			require.NoError(b, i.Recover(b.Context(), nil, nil))
			assert.NoError(b, i.Cleanup(b.Context(), containerID("never-seen")))
		}},
		{"Recover comes first, and Cleanup follows for the orphans", func(b *bench) {
			_, i := loaded[isolator.Isolator](b)
			_, err := i.SupportsNesting(b.Context())
			require.NoError(b, err)
			_, err = i.SupportsStandalone(b.Context())
			require.NoError(b, err)
			require.NoError(b, i.Recover(b.Context(), nil, []*mesosv1.ContainerID{containerID("orphan")}))
			assert.NoError(b, i.Cleanup(b.Context(), containerID("orphan")))
		}},
		{"a launch can end after any call, and Cleanup undoes it", launchEnds},
		{"Watch returns at once", func(b *bench) {
			_, i := loaded[isolator.Isolator](b)
			c := b.container(i, "watched")
			require.NoError(b, c.prepare())
			b.returns("Watch", func() { assert.NoError(b, c.watch()) })
			assert.NoError(b, c.cleanup())
		}},
		{"sink is called once at most, and not after Cleanup", func(b *bench) {
			k, i := loaded[isolator.Isolator](b)
			c := b.container(i, "watched")
			for _, call := range c.life() {
				require.NoError(b, call.do(), "%s", call.name)
			}
			assert.NoError(b, c.cleanup())
			before := c.limited.Load()
			k.Close()
			assert.LessOrEqual(b, before, int32(1))
			assert.Equal(b, before, c.limited.Load(), "sink is called after Cleanup")
		}},
		{"Usage and Status may come at any time between Isolate and Cleanup", func(b *bench) {
			k, i := loaded[isolator.Isolator](b)
			c := b.container(i, "measured")
			for _, call := range []func() error{c.prepare, c.watch, c.isolate} {
				require.NoError(b, call())
			}
			k.Hammer(4, 25, func(_ context.Context, g, _ int) error {
				switch g {
				case 0:
					return c.update()
				case 1:
					return c.status()
				default:
					return c.usage()
				}
			})
			assert.NoError(b, c.cleanup())
		}},
		{"calls for different containers come from any number of goroutines at once", func(b *bench) {
			k, i := loaded[isolator.Isolator](b)
			require.NoError(b, i.Recover(b.Context(), nil, nil))
			pid := b.process()
			k.Hammer(6, 5, func(_ context.Context, g, call int) error {
				c := &container{b: b, i: i, id: containerID(fmt.Sprint("c", g, "-", call)), pid: pid}
				for _, step := range append(c.life(), containerCall{"Cleanup", c.cleanup}) {
					if err := step.do(); err != nil {
						return fmt.Errorf("%s: %w", step.name, err)
					}
				}
				return nil
			})
		}},
		{"a cancelled ctx means that the container is to be destroyed, and Cleanup follows", func(b *bench) {
			k, i := loaded[isolator.Isolator](b)
			c := b.container(i, "cancelled")
			live := c.ctx
			c.ctx = ended()
			for _, call := range c.life() {
				b.returns(call.name, func() { _ = call.do() }) // an error is an answer
			}
			c.ctx = live
			assert.NoError(b, c.cleanup())
			assert.Empty(b, panics(k))
		}},
	}
}

// launchEnds cleans up after each beginning of a container's life.
func launchEnds(b *bench) {
	_, i := loaded[isolator.Isolator](b)
	require.NoError(b, i.Recover(b.Context(), nil, nil))
	pid := b.process()
	whole := len((&container{b: b}).life())
	for ends := 1; ends <= whole; ends++ {
		c := &container{b: b, i: i, id: containerID(fmt.Sprint("ends-after-", ends)), pid: pid}
		for _, call := range c.life()[:ends] {
			require.NoError(b, call.do(), "%s", call.name)
		}
		require.NoError(b, c.cleanup(), "Cleanup after %s", c.life()[ends-1].name)
	}
}

// container is one container with the calls that its life consists of.
type container struct {
	b       *bench
	i       isolator.Isolator
	id      *mesosv1.ContainerID
	pid     int32
	ctx     context.Context // nil: the test's
	limited atomic.Int32    // calls of the sink
}

type containerCall struct {
	name string
	do   func() error
}

// container begins a life, after Recover.
func (b *bench) container(i isolator.Isolator, id string) *container {
	b.Helper()
	require.NoError(b, i.Recover(b.Context(), nil, nil))
	return &container{b: b, i: i, id: containerID(id), pid: b.process()}
}

// life is everything before Cleanup, in the order of the contract.
func (c *container) life() []containerCall {
	return []containerCall{
		{"Prepare", c.prepare}, {"Watch", c.watch}, {"Isolate", c.isolate},
		{"Update", c.update}, {"Usage", c.usage}, {"Status", c.status},
	}
}

func (c *container) context() context.Context {
	if c.ctx != nil {
		return c.ctx
	}
	return c.b.Context()
}

// identity is a copy: messages belong to the receiver.
func (c *container) identity() *mesosv1.ContainerID { return proto.CloneOf(c.id) }

func (c *container) prepare() error {
	config := c.b.o.container
	if config == nil {
		config = &slave.ContainerConfig{
			Directory:   proto.String(c.b.TempDir()),
			User:        proto.String("nobody"),
			CommandInfo: &mesosv1.CommandInfo{Value: proto.String("sleep 1000")},
			Resources:   []*mesosv1.Resource{scalar("cpus", 1), scalar("mem", 64)},
		}
	}
	_, err := c.i.Prepare(c.context(), c.identity(), proto.CloneOf(config))
	return err
}

func (c *container) watch() error {
	return c.i.Watch(c.context(), c.identity(), func(*slave.ContainerLimitation) { c.limited.Add(1) })
}

func (c *container) isolate() error { return c.i.Isolate(c.context(), c.identity(), c.pid) }

func (c *container) update() error {
	return c.i.Update(c.context(), c.identity(), []*mesosv1.Resource{scalar("cpus", 2), scalar("mem", 128)},
		&mesosv1.OfferFilters_ResourceQuantities{Quantities: map[string]*mesosv1.Value_Scalar{"mem": {Value: proto.Float64(256)}}})
}

func (c *container) usage() error {
	_, err := c.i.Usage(c.context(), c.identity())
	return err
}

func (c *container) status() error {
	_, err := c.i.Status(c.context(), c.identity())
	return err
}

func (c *container) cleanup() error { return c.i.Cleanup(c.b.Context(), c.identity()) }

// process is one that isolators can do to what they want. It ends with the test.
func (b *bench) process() int32 {
	b.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		fail(b, "start a process to isolate: %v", err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed by the isolator
		_ = cmd.Wait()         // and this says so
	})
	return int32(cmd.Process.Pid)
}

func containerID(id string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &id} }

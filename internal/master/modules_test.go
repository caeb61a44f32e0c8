package master

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/registry"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/authorizer"
)

// authorizing is an authorizer of which a test says what it answers.
type authorizing func(ctx context.Context, requests []*authorization.Request) ([]bool, error)

var _ authorizer.Authorizer = authorizing(nil)

func (a authorizing) Authorize(ctx context.Context, requests []*authorization.Request) ([]bool, error) {
	return a(ctx, requests)
}

func with(a authorizing) func(*Config) {
	return func(c *Config) { c.Authorizer, c.Core.Authorize = a, true }
}

func all(requests []*authorization.Request, yes bool) []bool {
	return slices.Repeat([]bool{yes}, len(requests))
}

func TestModules(t *testing.T) {
	t.Run("an authorizer that hangs delays its own answer and nothing else", func(t *testing.T) {
		held, release := make(chan struct{}), make(chan struct{})
		w := start(t, options{config: with(func(ctx context.Context, requests []*authorization.Request) ([]bool, error) {
			if requests[0].GetObject().GetFrameworkInfo().GetName() == "slow" {
				close(held)
				select {
				case <-release:
				case <-ctx.Done():
				}
			}
			return all(requests, true), nil
		})})
		slow := make(chan reply, 1)
		go func() {
			slow <- w.call(schedulerPath, `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"slow","roles":["a","a"]}}}`)
		}()
		w.framework(`{"user":"u","name":"quick"}`)
		assert.Equal(t, 200, w.get("/state").status)
		close(release)
		<-slow
	})
	t.Run("one that forbids is an ERROR, one that fails too", func(t *testing.T) {
		w := start(t, options{config: with(func(_ context.Context, requests []*authorization.Request) ([]bool, error) {
			if requests[0].GetObject().GetFrameworkInfo().GetName() == "n" {
				return all(requests, false), nil
			}
			return nil, errors.New("out of order")
		})})
		e := w.subscribe(schedulerPath, aFramework)
		assert.Contains(t, e.next()["error"].(map[string]any)["message"], "Not authorized")
		e.over()
		e = w.subscribe(schedulerPath, `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"m"}}}`)
		assert.Contains(t, e.next()["error"].(map[string]any)["message"], "out of order")
		e.over()
	})
	t.Run("an operator hears and sees what he may", func(t *testing.T) {
		w := start(t, options{config: with(func(_ context.Context, requests []*authorization.Request) ([]bool, error) {
			yes := all(requests, true)
			for i, r := range requests {
				yes[i] = r.GetAction() != authorization.Action_VIEW_FRAMEWORK || r.GetObject().GetFrameworkInfo().GetName() != "secret"
			}
			return yes, nil
		})})
		w.framework(`{"user":"u","name":"secret"}`)
		e := w.subscribe(operatorPath, `{"type":"SUBSCRIBE"}`)
		assert.Empty(t, e.next()["subscribed"].(map[string]any)["get_state"].(map[string]any)["get_frameworks"])
		w.framework(`{"user":"u","name":"secret"}`)
		open := w.framework(`{"user":"u","name":"open"}`)
		assert.Contains(t, fmt.Sprint(e.next()["framework_added"]), open.id)
		state := w.get("/state").body
		assert.Contains(t, state, open.id)
		assert.NotContains(t, state, "secret")
	})
	t.Run("one that does not decide about all fails", func(t *testing.T) {
		w := start(t, options{config: with(func(context.Context, []*authorization.Request) ([]bool, error) { return nil, nil })})
		e := w.subscribe(schedulerPath, aFramework)
		assert.Equal(t, "ERROR", e.next()["type"])
		assert.Equal(t, 500, w.get("/flags").status)
	})
	t.Run("an allocator that hangs stops nothing but its own calls", func(t *testing.T) {
		held, release := make(chan struct{}), make(chan struct{})
		w := start(t, options{})
		w.alloc.before = func(ctx context.Context, name string) error {
			if name == "AddFramework" {
				close(held)
				select {
				case <-release:
				case <-ctx.Done():
				}
			}
			return nil
		}
		f := w.framework(`{"user":"u","name":"n"}`)
		<-held
		assert.Equal(t, 202, w.call(schedulerPath, `{"type":"REVIVE","framework_id":{"value":"`+f.id+`"}}`, streamHeader, f.stream).status)
		assert.Equal(t, 200, w.get("/frameworks").status)
		assert.NotContains(t, w.alloc.calls, "ReviveOffers")
		close(release)
		assert.True(t, w.alloc.await(t.Context(), func(calls []string) bool { return slices.Contains(calls, "ReviveOffers") }))
		assert.Less(t, slices.Index(w.alloc.calls, "AddFramework"), slices.Index(w.alloc.calls, "ReviveOffers"))
	})
	t.Run("one that cannot be initialized stops the start", func(t *testing.T) {
		m := bare(Config{Allocator: &allocating{before: func(context.Context, string) error { return errors.New("no luck") }}})
		require.EqualError(t, m.allocator.start(t.Context()), "initialize the allocator: no luck")
	})
}

// disk is a registry that may be held up or fail.
type disk struct {
	Registry
	hold func(ctx context.Context) error // Apply
	read chan struct{}                   // what Recover waits for; nil: nothing
}

func (d disk) Recover(ctx context.Context, self *mesosv1.MasterInfo) (*wire.Registry, error) {
	if d.read != nil {
		<-d.read
	}
	return d.Registry.Recover(ctx, self)
}

func (d disk) Apply(ctx context.Context, changes []core.RegistryChange) ([]error, error) {
	if err := d.hold(ctx); err != nil {
		return nil, err
	}
	return d.Registry.Apply(ctx, changes)
}

func TestRegistry(t *testing.T) {
	admit := func(p *peer) {
		p.send("slave(1)", process, &wire.RegisterSlaveMessage{Version: proto.String("1.12.0"), Slave: &mesosv1.AgentInfo{
			Hostname: proto.String("h"), Port: proto.Int32(int32(p.addr.Port()))}})
	}
	t.Run("a disk that hangs holds back what waits for it, and nothing else", func(t *testing.T) {
		held, release := make(chan struct{}), make(chan struct{})
		w := start(t, options{config: func(c *Config) {
			c.Registry = disk{Registry: registry.InMemory(), hold: func(context.Context) error { close(held); <-release; return nil }}
		}})
		p := w.peer()
		admit(p)
		<-held
		w.framework(`{"user":"u","name":"n"}`)
		assert.Empty(t, p.got)
		close(release)
		_, m := p.next()
		assert.Equal(t, "M-S0", m.(*wire.SlaveRegisteredMessage).GetSlaveId().GetValue())
	})
	t.Run("one that fails, or takes too long, ends the master", func(t *testing.T) {
		for want, hold := range map[string]func(ctx context.Context) error{
			"no space left": func(context.Context) error { return errors.New("no space left") },
			"deadline":      func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		} {
			w := start(t, options{config: func(c *Config) {
				c.Registry, c.StoreTimeout = disk{Registry: registry.InMemory(), hold: hold}, time.Millisecond
			}})
			admit(w.peer())
			require.ErrorContains(t, <-w.failed, want)
		}
	})
	t.Run("until it is read, nobody is served but readers", func(t *testing.T) {
		read := make(chan struct{})
		w := start(t, options{idle: true, config: func(c *Config) { c.Registry = disk{Registry: registry.InMemory(), read: read} }})
		for _, path := range []string{schedulerPath, operatorPath} {
			r := w.get(path)
			assert.Equal(t, reply{503, r.header, "Master has not finished recovery"}, r)
		}
		assert.Equal(t, 200, w.get("/state").status)
		close(read)
		for w.get(schedulerPath).status == 503 {
		}
	})
	t.Run("a registry that cannot be read ends the master", func(t *testing.T) {
		closed := registry.InMemory()
		require.NoError(t, closed.Close(t.Context()))
		w := start(t, options{idle: true, config: func(c *Config) { c.Registry = closed }})
		require.ErrorContains(t, <-w.failed, registry.ErrClosed.Error())
	})
}

func TestWhitelist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "hosts")
		alloc := &allocating{}
		m := bare(Config{Allocator: alloc, Whitelist: path, Log: discard})
		m.running.Go(m.allocator.run)
		m.running.Go(m.watchWhitelist)
		told := func() []string {
			synctest.Wait()
			alloc.mu.Lock()
			defer alloc.mu.Unlock()
			return alloc.whitelist
		}
		assert.Nil(t, told(), "a file that is not there says nothing")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		time.Sleep(whitelistInterval)
		assert.Empty(t, told())
		assert.Len(t, alloc.calls, 1, "an empty one allows nobody")
		require.NoError(t, os.WriteFile(path, []byte("a\n\n  b\n"), 0o600))
		time.Sleep(whitelistInterval)
		assert.Equal(t, []string{"a", "b"}, told())
		time.Sleep(2 * whitelistInterval)
		assert.Len(t, alloc.calls, 2, "what has not changed is not told again")
		m.end()
		m.running.Wait()
	})
}

func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ctx := newPool(), t.Context()
		release, ran := make(chan struct{}), 0
		for range maxCalls {
			p.run(ctx, func(context.Context) { <-release })
		}
		synctest.Wait() // all places are taken
		p.run(ctx, func(context.Context) { ran++ })
		synctest.Wait()
		assert.Zero(t, ran, "beyond the bound a call waits")
		close(release)
		p.wait()
		assert.Equal(t, 1, ran)
	})
}

package master

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/roles/allocator"
)

// pausable is what a retold allocator is asked besides.
type pausable struct{ allocating }

func (p *pausable) Pause(ctx context.Context) error  { return p.note(ctx, "Pause") }
func (p *pausable) Resume(ctx context.Context) error { return p.note(ctx, "Resume") }

// replaceable is a master whose allocator is behind a handle, as in the daemon.
func replaceable(t *testing.T, change func(*Config)) (*world, handle.Handle, *allocating) {
	h, err := handle.New("Allocator", handle.Options{})
	require.NoError(t, err)
	first := &allocating{}
	require.NoError(t, h.Bind(first))
	w := start(t, options{config: func(c *Config) {
		c.Allocator = h.(allocator.Allocator)
		if change != nil {
			change(c)
		}
	}})
	return w, h, first
}

// heard are the calls so far.
func (a *allocating) heard() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

func has(call string) func([]string) bool {
	return func(calls []string) bool { return strings.Contains(strings.Join(calls, " "), call) }
}

func TestANewAllocator(t *testing.T) {
	t.Run("knows everything, and gets each later call once, in order", func(t *testing.T) {
		w, h, first := replaceable(t, nil)
		f := w.framework(`{"user":"u","name":"n"}`)
		require.True(t, first.await(t.Context(), has("AddFramework")))
		require.NoError(t, h.Unbind(t.Context()))
		w.revive(f) // reaches nobody
		fresh := &pausable{}
		require.NoError(t, w.m.allocator.renew(t.Context(), fresh))
		assert.Equal(t, []string{"Initialize", "Offers", "InverseOffers", "Pause", "AddFramework", "Resume"}, fresh.heard())
		w.revive(f)
		w.m.allocator.renewed() // of another module: this one is still not there
		w.revive(f)
		require.NoError(t, h.Bind(fresh))
		w.m.allocator.renewed()
		w.framework(`{"user":"u","name":"last"}`)
		require.True(t, fresh.await(t.Context(), func(calls []string) bool { return len(calls) == 9 }))
		assert.Equal(t, []string{"ReviveOffers", "ReviveOffers", "AddFramework"}, fresh.heard()[6:])
	})
	t.Run("is the only one whose offers count", func(t *testing.T) {
		log := &lines{}
		w, h, first := replaceable(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
		f := w.framework(`{"user":"u","name":"n"}`)
		require.NoError(t, h.Unbind(t.Context()))
		fresh := &pausable{}
		require.NoError(t, w.m.allocator.renew(t.Context(), fresh))
		require.NoError(t, h.Bind(fresh))
		w.m.allocator.renewed()
		share := []*allocation.Share{{FrameworkId: &mesosv1.FrameworkID{Value: &f.id}, AgentId: &mesosv1.AgentID{Value: proto.String("none")}}}
		first.sink(share)
		fresh.sink(share)
		_, err := w.m.View(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(log.String(), "what is allocated to no role"), "of the new one: %s", log)
	})
	t.Run("hears the whitelist before anything else", func(t *testing.T) {
		w, h, first := replaceable(t, nil)
		w.m.allocator.allow(&allocation.Whitelist{Hostnames: []string{"a"}})
		require.True(t, first.await(t.Context(), has("UpdateWhitelist")))
		require.NoError(t, h.Unbind(t.Context()))
		fresh := &pausable{}
		require.NoError(t, w.m.allocator.renew(t.Context(), fresh))
		assert.Equal(t, []string{"Initialize", "Offers", "InverseOffers", "UpdateWhitelist", "Pause", "Resume"}, fresh.heard())
		assert.Equal(t, []string{"a"}, fresh.whitelist)
	})
	t.Run("that fails meanwhile is not the one, and the next one is", func(t *testing.T) {
		w, h, first := replaceable(t, nil)
		w.framework(`{"user":"u","name":"n"}`)
		require.True(t, first.await(t.Context(), has("AddFramework")))
		require.NoError(t, h.Unbind(t.Context()))
		for _, call := range []string{"Initialize", "Offers", "InverseOffers", "AddFramework"} {
			fresh := &pausable{}
			fresh.before = func(_ context.Context, name string) error {
				if name == call {
					return errors.New("out of order")
				}
				return nil
			}
			require.ErrorContains(t, w.m.allocator.renew(t.Context(), fresh), "out of order", call)
		}
		fresh := &pausable{}
		require.NoError(t, w.m.allocator.renew(t.Context(), fresh))
		require.NoError(t, h.Bind(fresh))
		w.m.allocator.renewed()
		w.framework(`{"user":"u","name":"m"}`)
		require.True(t, fresh.await(t.Context(), func(calls []string) bool { return len(calls) == 7 }))
		assert.Equal(t, []string{"Initialize", "Offers", "InverseOffers", "Pause", "AddFramework", "Resume", "AddFramework"}, fresh.heard())
	})
	t.Run("is missed in one line of the log", func(t *testing.T) {
		log := &lines{}
		w, h, first := replaceable(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
		f := w.framework(`{"user":"u","name":"n"}`)
		require.True(t, first.await(t.Context(), has("AddFramework")))
		require.NoError(t, h.Unbind(t.Context()))
		for range 3 {
			w.revive(f)
		}
		assert.Eventually(t, func() bool { return w.m.allocator.waiting() == 0 }, patience, 1)
		assert.Equal(t, 1, strings.Count(log.String(), "there is no allocator"))
		assert.NotContains(t, log.String(), "a call of the allocator failed")
	})
	t.Run("that comes before the master begins waits for it", func(t *testing.T) {
		fresh := &pausable{}
		require.NoError(t, bare(Config{}).allocator.renew(t.Context(), fresh))
		assert.Empty(t, fresh.heard())
	})
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestANewAuthenticator(t *testing.T) {
	t.Run("gets the credentials, and handshakes begin anew", func(t *testing.T) {
		first := &asking{}
		w := start(t, options{config: func(c *Config) { c.Authenticator = first }})
		p := w.peer()
		p.opened()
		fresh := &asking{}
		require.NoError(t, w.m.sessions.renew(t.Context(), fresh))
		_, m := p.next()
		require.IsType(t, &wire.AuthenticationErrorMessage{}, m)
		assert.Contains(t, m.(*wire.AuthenticationErrorMessage).GetError(), "restarted")
		p.opened()
	})
	t.Run("that cannot take them is none", func(t *testing.T) {
		w := start(t, options{config: func(c *Config) { c.Authenticator, c.Core.AuthenticateAgents = &asking{}, true }})
		require.ErrorContains(t, w.m.sessions.renew(t.Context(), &asking{initialize: errors.New("no secrets")}), "no secrets")
	})
	t.Run("may be better than the first", func(t *testing.T) {
		w := start(t, options{config: func(c *Config) { c.Authenticator = &asking{initialize: errors.New("no secrets")} }})
		require.NoError(t, w.m.sessions.renew(t.Context(), &asking{}))
		w.peer().opened()
	})
}

func TestANewElection(t *testing.T) {
	t.Run("the new contender stands for election, and the old one is not heard", func(t *testing.T) {
		first, fresh := &contending{contends: make(chan func(*leadership.Candidacy), 10)}, &contending{contends: make(chan func(*leadership.Candidacy), 10)}
		w := start(t, options{idle: true, config: func(c *Config) { c.Contender, c.Detector = first, &ruled{} }})
		old := <-first.contends
		require.NoError(t, w.m.candidacy.renewContender(t.Context(), fresh))
		now := <-fresh.contends
		old(says(leadership.Candidacy_FAILED))
		now(says(leadership.Candidacy_ENTERED))
		assert.Empty(t, w.failed)
		now(says(leadership.Candidacy_FAILED))
		require.ErrorContains(t, <-w.failed, "cannot run for leadership")
		require.ErrorContains(t, w.m.candidacy.renewContender(t.Context(), &contending{initialize: errors.New("no luck")}), "no luck")
	})
	t.Run("the new detector is asked", func(t *testing.T) {
		w := start(t, options{})
		fresh := &ruled{}
		require.NoError(t, w.m.candidacy.renewDetector(t.Context(), fresh))
		fresh.sink(&leadership.Leadership{Leader: w.m.c.Core.Info})
		assert.Equal(t, 200, w.get("/frameworks").status, "it leads on")
		fresh.sink(&leadership.Leadership{Leader: &mesosv1.MasterInfo{Id: proto.String("other")}})
		require.ErrorContains(t, <-w.failed, "the leadership is lost")
	})
}

// revive has the framework ask for offers, of which the allocator hears.
func (w *world) revive(f *framework) {
	w.t.Helper()
	body := `{"type":"REVIVE","framework_id":{"value":"` + f.id + `"}}`
	require.Equal(w.t, 202, w.call(schedulerPath, body, streamHeader, f.stream).status)
}

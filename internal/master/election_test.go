package master

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// contending is a contender that a test speaks for.
type contending struct {
	initialize error
	contends   chan func(*leadership.Candidacy)
}

func (c *contending) Initialize(context.Context, *mesosv1.MasterInfo) error { return c.initialize }
func (c *contending) Contend(_ context.Context, sink func(*leadership.Candidacy)) error {
	c.contends <- sink
	return nil
}

func says(state leadership.Candidacy_State) *leadership.Candidacy {
	return &leadership.Candidacy{State: &state, Message: proto.String("no session")}
}

func TestElection(t *testing.T) {
	t.Run("a lost candidacy is entered again, one that failed ends the master", func(t *testing.T) {
		c := &contending{contends: make(chan func(*leadership.Candidacy), 10)}
		w := start(t, options{idle: true, config: func(config *Config) { config.Contender, config.Detector = c, &ruled{} }})
		sink := <-c.contends
		sink(says(leadership.Candidacy_ENTERED))
		sink(says(leadership.Candidacy_LOST))
		again := <-c.contends
		again(says(leadership.Candidacy_FAILED))
		require.EqualError(t, <-w.failed, "cannot run for leadership: no session")
	})
	t.Run("who cannot find the leader ends", func(t *testing.T) {
		election := &ruled{}
		w := start(t, options{idle: true, config: func(c *Config) { c.Detector = election }})
		election.sink(&leadership.Leadership{Failure: proto.String("no ensemble")})
		require.EqualError(t, <-w.failed, "cannot find out who leads: no ensemble")
	})
	t.Run("a contender that cannot begin stops the start", func(t *testing.T) {
		m := bare(Config{Contender: &contending{initialize: errors.New("no luck")}})
		require.EqualError(t, m.candidacy.start(t.Context()), "initialize the contender for leadership: no luck")
	})
}

func TestStop(t *testing.T) {
	t.Run("a module that does not come back is left behind", func(t *testing.T) {
		release, held := make(chan struct{}), make(chan struct{})
		w := start(t, options{})
		w.alloc.before = func(_ context.Context, name string) error {
			if name == "AddFramework" {
				close(held)
				<-release
			}
			return nil
		}
		w.framework(`{"user":"u","name":"n"}`)
		<-held
		w.stop()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorContains(t, w.m.Stop(ctx), "a module does not come back")
		close(release)
		require.NoError(t, w.m.Stop(t.Context()), "and what comes back in time is waited for")
	})
	t.Run("requests that wait are answered", func(t *testing.T) {
		held := make(chan struct{})
		w := start(t, options{config: with(func(ctx context.Context, _ []*authorization.Request) ([]bool, error) {
			close(held)
			<-ctx.Done()
			return nil, ctx.Err()
		})})
		answered := make(chan reply, 1)
		go func() { answered <- w.do(http.MethodPut, "/weights", `[{"role":"a","weight":2}]`) }()
		<-held
		w.stop()
		assert.Equal(t, 503, (<-answered).status)
	})
}

package operator

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/about"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/metrics"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/roles/authorizer"
)

// Agent is the agent that is asked. Its methods are called from any goroutine.
type Agent interface {
	// Recovering says that nobody can be answered yet.
	Recovering() bool

	// View returns the agent as it is now.
	View(ctx context.Context) (*core.View, error)

	// Measures are its metrics, by the names that Mesos gives them. What is not known
	// when ctx ends is left out.
	Measures(ctx context.Context) map[string]float64
}

// Containers runs containers; see containers.Service.
type Containers interface {
	Launch(ctx context.Context, request containers.LaunchRequest) (containers.Launched, error)
	Wait(ctx context.Context, id *mesosv1.ContainerID) (*slave.ContainerTermination, error)
	Kill(ctx context.Context, id *mesosv1.ContainerID, signal int32) (bool, error)
	Destroy(ctx context.Context, id *mesosv1.ContainerID) (*slave.ContainerTermination, error)
	Remove(ctx context.Context, id *mesosv1.ContainerID) error
	AttachInput(ctx context.Context, id *mesosv1.ContainerID) (*containers.Input, error)
	AttachOutput(ctx context.Context, id *mesosv1.ContainerID, sink func(record *agent.ProcessIO)) error
	Containers() []*mesosv1.ContainerID
	Usage(ctx context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error)
	Status(ctx context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error)
	User(id *mesosv1.ContainerID) string
	PruneImages(ctx context.Context, excluded []*mesosv1.Image) error
}

// Config is what answers are made of.
type Config struct {
	Agent      Agent
	Containers Containers
	Files      *files.Files
	About      about.Program
	Log        *slog.Logger

	// SwitchUser runs containers as their users; else everything runs as the agent.
	SwitchUser bool

	// Authorizer is asked who may do and see what; nil: everybody, everything.
	Authorizer authorizer.Authorizer

	// Heartbeat is the time between two heartbeats on the streams of containers'
	// output.
	Heartbeat time.Duration

	// MetricsRate is how often /metrics/snapshot may be asked.
	MetricsRate metrics.Rate

	// Stopping ends when the daemon begins to stop: what goes on for ever ends then.
	Stopping context.Context
}

// Operator answers the tools of an agent. Its methods may be called from any number of
// goroutines.
type Operator struct {
	c        Config
	patience time.Duration  // in which the first record of a stream has to come
	work     sync.WaitGroup // destructions of sessions whose clients have left
}

// New returns an Operator, which does nothing before it is asked.
func New(c Config) *Operator { return &Operator{c: c, patience: 30 * time.Second} }

// Wait returns when nothing goes on any more that outlives its request, or ctx ends. No
// requests may come meanwhile.
func (o *Operator) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		o.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Routes are what the Operator answers, but for the routes of files.
func (o *Operator) Routes() []apihttp.Route {
	return append(o.legacyRoutes(), apihttp.Route{Path: "/api/v1", Realm: apihttp.RealmReadWrite, Handler: o.serveAPI})
}

// see takes a view.
func (o *Operator) see(r *http.Request) (*core.View, *apihttp.Refusal) {
	v, err := o.c.Agent.View(r.Context())
	if err != nil {
		return nil, apihttp.Refuse(http.StatusServiceUnavailable, "The agent stops")
	}
	return v, nil
}

package operator

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

// lastWords is how long a session whose output has ended has to end by itself, so that
// its status is its own.
const lastWords = 5 * time.Second

// session answers LAUNCH_NESTED_CONTAINER_SESSION: a command beside a running one, that
// lives no longer than its client listens.
func (o *Operator) session(q *request) *apihttp.Refusal {
	apihttp.Unhurried(q.w)
	l := launchedBy(q.call)
	status, refusal := o.launchNow(q, l, authorization.Action_LAUNCH_NESTED_CONTAINER_SESSION)
	switch {
	case refusal != nil:
		return refusal
	case status != http.StatusOK:
		return q.done(status)
	}
	ended := false
	defer func() { o.finish(l.id, ended) }()
	ended, refusal = o.stream(q, l.id)
	return refusal
}

// finish ends a session, in its own time: its client need not wait.
func (o *Operator) finish(id *mesosv1.ContainerID, ended bool) {
	o.work.Go(func() {
		ctx := context.Background() // the service ends what it does when the agent stops
		if ended {
			limited, cancel := context.WithTimeout(ctx, lastWords)
			_, err := o.c.Containers.Wait(limited, id)
			cancel()
			if err == nil {
				return
			}
		}
		if _, err := o.c.Containers.Destroy(ctx, id); err != nil && !errors.Is(err, containers.ErrUnknown) && o.c.Stopping.Err() == nil {
			o.c.Log.Warn("a session cannot be ended", "container", name(id), "error", err)
		}
	})
}

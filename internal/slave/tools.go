package slave

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/about"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/metrics"
	"github.com/mesos-modules/mms/internal/slave/fetcher"
	"github.com/mesos-modules/mms/internal/slave/gc"
	"github.com/mesos-modules/mms/internal/slave/operator"
	"github.com/mesos-modules/mms/roles/authorizer"
)

// rateVariable says how often /metrics/snapshot may be asked.
const rateVariable = "LIBPROCESS_METRICS_SNAPSHOT_ENDPOINT_RATE_LIMIT"

// tools makes what answers the tools of operators.
func (r *running) tools(c Config) *operator.Operator {
	rate := metrics.SnapshotRate
	if text := r.host.Env(rateVariable); text != "" {
		if given, ok := metrics.ReadRate(text); ok {
			rate = given
		} else {
			r.host.Log.Warn("a variable is no rate like 2/1secs", "name", rateVariable)
		}
	}
	return operator.New(operator.Config{
		Agent: asked{r.slave, r.collector, r.fetcher}, Containers: c.Containers, Files: &r.files,
		Log: r.host.Log, Authorizer: r.authorizer(),
		About:      about.Program{Version: c.Core.Version, Started: c.Core.Started, Flags: r.host.Flags, Verbosity: r.host.Verbosity},
		SwitchUser: r.plug.switchUser.Get(),
		Heartbeat:  r.plug.heartbeat.Get(), MetricsRate: rate, Stopping: r.host.Stopping,
	})
}

// authorizer is nil if nobody is to be asked: all is allowed then.
func (r *running) authorizer() authorizer.Authorizer {
	if !r.plug.acls.Has() && !r.host.Given("authorizer") {
		return nil
	}
	return r.sites.Authorizer
}

// access lets only those read files who are allowed to.
func (r *running) access(action authorization.Action, object *authorization.Object) files.Authorize {
	asked := r.authorizer()
	if asked == nil {
		return nil
	}
	return func(ctx context.Context, who *apihttp.Principal) error {
		request := &authorization.Request{Action: &action, Object: object}
		if who != nil {
			request.Subject = &authorization.Subject{Value: who.Value, Claims: who.Claims}
		}
		allowed, err := asked.Authorize(ctx, []*authorization.Request{request})
		if err == nil && (len(allowed) != 1 || !allowed[0]) {
			return files.ErrForbidden
		}
		return err
	}
}

// toSandbox lets only those read a sandbox who are allowed to.
func (r *running) toSandbox(framework *mesosv1.FrameworkInfo, executor *mesosv1.ExecutorInfo) files.Authorize {
	return r.access(authorization.Action_ACCESS_SANDBOX, &authorization.Object{FrameworkInfo: framework, ExecutorInfo: executor})
}

// asked is the agent with what is counted beside it.
type asked struct {
	*Slave

	collector *gc.Collector
	fetcher   *fetcher.Fetcher
}

// Measures implements operator.Agent.
func (a asked) Measures(ctx context.Context) map[string]float64 {
	all := map[string]float64{}
	for name, v := range metrics.System() {
		all["system/"+name] = v
	}
	collected := a.collector.Stats()
	all["gc/path_removals_succeeded"] = float64(collected.Succeeded)
	all["gc/path_removals_failed"] = float64(collected.Failed)
	all["gc/path_removals_pending"] = float64(collected.Pending)
	all["slave/executor_directory_max_allowed_age_secs"] = a.collector.Allowed().Seconds()
	fetched := a.fetcher.Stats()
	all["containerizer/fetcher/task_fetches_succeeded"] = float64(fetched.Succeeded)
	all["containerizer/fetcher/task_fetches_failed"] = float64(fetched.Failed)
	all["containerizer/fetcher/cache_size_total_bytes"] = float64(fetched.CacheTotal)
	all["containerizer/fetcher/cache_size_used_bytes"] = float64(fetched.CacheUse)
	found, err := a.Slave.Measures(ctx)
	if err != nil {
		return all // the agent stops, or the time is over
	}
	for _, m := range found {
		all[m.Name] = m.Value
	}
	return all
}

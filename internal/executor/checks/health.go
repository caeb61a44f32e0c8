package checks

import (
	"context"
	"fmt"
	"net/http"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Health is what a health check says of its task.
type Health struct {
	Healthy  bool
	Failures int   // in a row, the last one included
	Kill     bool  // there have been so many that the task is to be killed
	Err      error // what failed; nil if Healthy
}

// healthChecker is a health check under way.
type healthChecker struct {
	pace     pace
	probe    Probe
	grace    time.Duration
	most     int // failures in a row
	began    time.Time
	proven   bool // it has succeeded once
	failures int
	report   func(Health)
}

func newHealthChecker(info *mesosv1.HealthCheck, probes Probes, report func(Health)) (*healthChecker, error) {
	h := &healthChecker{
		grace: seconds(info.GetGracePeriodSeconds()), most: int(info.GetConsecutiveFailures()),
		began: time.Now(), report: report,
		pace: pace{first: seconds(info.GetDelaySeconds()), interval: seconds(info.GetIntervalSeconds())},
	}
	kind := info.GetType()
	if kind == mesosv1.HealthCheck_UNKNOWN { // as frameworks from before there were types have it
		kind = implied(info)
	}
	switch kind {
	case mesosv1.HealthCheck_COMMAND:
		h.probe = expect(probes.Command(info.GetCommand()), "exit status", func(code int) bool { return code == 0 })
	case mesosv1.HealthCheck_HTTP:
		h.probe = expect(get(healthURL(info.GetHttp())), "status", func(code int) bool {
			return code >= http.StatusOK && code < http.StatusBadRequest
		})
	case mesosv1.HealthCheck_TCP:
		h.probe = connect(address(info.GetTcp().GetProtocol(), info.GetTcp().GetPort()))
	default:
		return nil, fmt.Errorf("health check of unknown type %v", info.GetType())
	}
	h.probe = within(seconds(info.GetTimeoutSeconds()), h.probe)
	return h, nil
}

func implied(info *mesosv1.HealthCheck) mesosv1.HealthCheck_Type {
	switch {
	case info.Command != nil:
		return mesosv1.HealthCheck_COMMAND
	case info.Http != nil:
		return mesosv1.HealthCheck_HTTP
	case info.Tcp != nil:
		return mesosv1.HealthCheck_TCP
	default:
		return mesosv1.HealthCheck_UNKNOWN
	}
}

func healthURL(info *mesosv1.HealthCheck_HTTPCheckInfo) string {
	scheme := info.GetScheme()
	if scheme == "" {
		scheme = "http"
	}
	return scheme + "://" + address(info.GetProtocol(), info.GetPort()) + info.GetPath()
}

// expect makes an error of a code that is not a good one.
func expect(probe Probe, what string, good func(int) bool) Probe {
	return func(ctx context.Context) (int, error) {
		code, err := probe(ctx)
		if err == nil && !good(code) {
			err = fmt.Errorf("%s %d", what, code)
		}
		return code, err
	}
}

func (h *healthChecker) attempt(ctx context.Context) {
	_, err := h.probe(ctx)
	switch {
	case ctx.Err() != nil: // interrupted, it has found nothing
	case err == nil:
		h.succeeded()
	default:
		h.failed(err)
	}
}

func (h *healthChecker) succeeded() {
	news := !h.proven || h.failures > 0
	h.proven, h.failures = true, 0
	if news {
		h.report(Health{Healthy: true})
	}
}

func (h *healthChecker) failed(err error) {
	if !h.proven && time.Since(h.began) <= h.grace && h.grace > 0 {
		return
	}
	h.failures++
	h.report(Health{Failures: h.failures, Kill: h.failures >= h.most, Err: err})
}

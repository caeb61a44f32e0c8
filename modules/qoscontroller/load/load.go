// Package load is a QoS controller that ends all best-effort work while the host has more
// to do than the operator wants, as the module of Apache Mesos does.
package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/qoscontroller"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_LoadQoSController"

// limits are the thresholds; text, because 0 is one.
type limits struct {
	Five    string `mms:"load_threshold_5min" doc:"load average of the last 5 minutes above which revocable work is ended"`
	Fifteen string `mms:"load_threshold_15min" doc:"the same of the last 15 minutes"`
	Source  string `mms:"load_file" default:"/proc/loadavg" doc:"where the load averages stand"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[qoscontroller.QoSController]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Ends revocable work when the load of the host is too high.",
		Parameters:  facade.SchemaOf[limits](),
		New: func(_ context.Context, host facade.Host, p facade.Parameters) (qoscontroller.QoSController, error) {
			c, err := facade.Decode[limits](p)
			if err != nil {
				return nil, err
			}
			return newController(host, c)
		},
	},
}}

type controller struct {
	qoscontroller.Unimplemented

	five, fifteen float64 // infinite: not looked at
	source        string
	log           *slog.Logger
	ended         facade.Counter
}

func newController(host facade.Host, l limits) (*controller, error) {
	five, err := threshold("load_threshold_5min", l.Five)
	fifteen, err2 := threshold("load_threshold_15min", l.Fifteen)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	if math.IsInf(five, 1) && math.IsInf(fifteen, 1) {
		return nil, errors.New("no threshold is set: give load_threshold_5min, load_threshold_15min or both")
	}
	c := &controller{five: five, fifteen: fifteen, source: l.Source, log: host.Logger(),
		ended: host.Metrics().Counter("corrections", "Executors that were to be ended.")}
	_, _, err = c.load() // a host without load averages is known at once
	return c, err
}

func threshold(name, text string) (float64, error) {
	if text == "" {
		return math.Inf(1), nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("parameter %s: %q is no number", name, text)
	}
	return x, nil
}

// Corrections wants every executor ended that has revocable resources, if the load is
// above a threshold. A load of just the threshold is not too high.
func (c *controller) Corrections(ctx context.Context, usage *mesosv1.ResourceUsage) ([]*slave.QoSCorrection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	five, fifteen, err := c.load()
	if err != nil {
		return nil, err
	}
	if five <= c.five && fifteen <= c.fifteen {
		return nil, nil
	}
	var all []*slave.QoSCorrection
	for _, e := range usage.GetExecutors() {
		if revocable(e.GetAllocated()) {
			all = append(all, &slave.QoSCorrection{Type: slave.QoSCorrection_KILL.Enum(), Kill: &slave.QoSCorrection_Kill{
				FrameworkId: e.GetExecutorInfo().GetFrameworkId(), ExecutorId: e.GetExecutorInfo().GetExecutorId(), ContainerId: e.GetContainerId(),
			}})
		}
	}
	if len(all) > 0 {
		c.log.Info("the load is too high; executors with revocable resources are ended", "executors", len(all),
			"load_5min", five, "load_15min", fifteen)
		c.ended.Add(float64(len(all)))
	}
	return all, nil
}

func revocable(all []*mesosv1.Resource) bool {
	for _, r := range all {
		if r.GetRevocable() != nil {
			return true
		}
	}
	return false
}

// load reads the load averages of 5 and 15 minutes: "0.20 0.18 0.12 1/80 11206".
func (c *controller) load() (five, fifteen float64, err error) {
	text, err := os.ReadFile(c.source)
	if err != nil {
		return 0, 0, fmt.Errorf("read the load averages: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return 0, 0, fmt.Errorf("read the load averages: %s holds none", c.source)
	}
	five, err = strconv.ParseFloat(fields[1], 64)
	if err == nil {
		fifteen, err = strconv.ParseFloat(fields[2], 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the load averages: %s: %w", c.source, err)
	}
	return five, fifteen, nil
}

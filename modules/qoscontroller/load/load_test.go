package load_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/qoscontroller/load"
	"github.com/mesos-modules/mms/roles/qoscontroller"
)

func parameter(key, value string) moduletest.Option {
	return moduletest.Parameter(load.Name, key, value)
}

// averages is a file that says what the load is.
func averages(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "loadavg")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, load.Library, load.Name, parameter("load_threshold_5min", "0"))
}

func executor(id string, revocable ...bool) *mesosv1.ResourceUsage_Executor {
	e := &mesosv1.ResourceUsage_Executor{
		ExecutorInfo: &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: &id}, FrameworkId: &mesosv1.FrameworkID{Value: proto.String("f")}},
		ContainerId:  &mesosv1.ContainerID{Value: proto.String("c-" + id)},
	}
	for _, r := range revocable {
		one := &mesosv1.Resource{Name: proto.String("cpus")}
		if r {
			one.Revocable = &mesosv1.Resource_RevocableInfo{}
		}
		e.Allocated = append(e.Allocated, one)
	}
	return e
}

func TestCorrections(t *testing.T) {
	usage := &mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{
		executor("production", false), executor("best-effort", true), executor("mixed", false, true), executor("nothing"),
	}}
	both := []string{"best-effort", "mixed"}
	for _, c := range []struct {
		name, five, fifteen, load string
		want                      []string
	}{
		{"a low load is left alone", "2", "2", "9.9 1.5 1.5 1/80 1", nil},
		{"just the threshold as well", "2", "2", "9.9 2.00 2.00 1/80 1", nil},
		{"five minutes are enough", "2", "2", "0.0 2.01 0.0 1/80 1", both},
		{"fifteen minutes are enough", "2", "2", "0.0 0.0 2.01 1/80 1", both},
		{"what has no threshold is not looked at", "2", "", "0.0 1.0 99.0 1/80 1", nil},
		{"nor is the other", "", "2", "0.0 99.0 1.0 1/80 1", nil},
		{"0 is a threshold", "0", "", "0.0 0.01 0.0 1/80 1", both},
		{"below 0 everything is too much", "-1", "", "0.0 0.0 0.0 1/80 1", both},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := moduletest.Load[qoscontroller.QoSController](moduletest.New(t, load.Library, parameter("load_threshold_5min", c.five),
				parameter("load_threshold_15min", c.fifteen), parameter("load_file", averages(t, c.load))), load.Name)
			all, err := q.Corrections(t.Context(), usage)
			require.NoError(t, err)
			var killed []string
			for _, correction := range all {
				assert.Equal(t, slave.QoSCorrection_KILL, correction.GetType())
				kill := correction.GetKill()
				assert.Equal(t, "f", kill.GetFrameworkId().GetValue())
				assert.Equal(t, "c-"+kill.GetExecutorId().GetValue(), kill.GetContainerId().GetValue())
				killed = append(killed, kill.GetExecutorId().GetValue())
			}
			assert.Equal(t, c.want, killed)
		})
	}
}

func TestLoadThatGoesAway(t *testing.T) {
	path := averages(t, "0 0 0 1/80 1")
	q := moduletest.Load[qoscontroller.QoSController](moduletest.New(t, load.Library, parameter("load_threshold_5min", "1"), parameter("load_file", path)), load.Name)
	for text, want := range map[string]string{"": "holds none", "0 0": "holds none", "0 much 0": "invalid syntax", "0 0 much": "invalid syntax"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		all, err := q.Corrections(t.Context(), &mesosv1.ResourceUsage{})
		require.ErrorContains(t, err, want)
		assert.Empty(t, all)
	}
	require.NoError(t, os.Remove(path))
	_, err := q.Corrections(t.Context(), &mesosv1.ResourceUsage{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("0 2 0 1/80 1"), 0o600))
	all, err := q.Corrections(t.Context(), &mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{executor("e", true)}})
	require.NoError(t, err)
	assert.Len(t, all, 1, "it is back")
}

func TestWrongParameters(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []moduletest.Option
		want    string
	}{
		{"no threshold", nil, "no threshold is set"},
		{"no number", []moduletest.Option{parameter("load_threshold_5min", "high"), parameter("load_threshold_15min", "NaN")}, `load_threshold_15min: "NaN" is no number`},
		{"no end", []moduletest.Option{parameter("load_threshold_5min", "inf")}, `"inf" is no number`},
		{"no load", []moduletest.Option{parameter("load_threshold_5min", "1"), parameter("load_file", "/nowhere")}, "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[qoscontroller.QoSController](moduletest.New(t, load.Library, c.options...), load.Name)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// host is a daemon's for an example.
type host struct{ facade.Host }

func (host) Logger() *slog.Logger                  { return slog.New(slog.DiscardHandler) }
func (h host) Metrics() facade.Metrics             { return h }
func (h host) Counter(_, _ string) facade.Counter  { return h }
func (host) Gauge(_, _ string) (none facade.Gauge) { return none }
func (host) Add(float64)                           {}

func Example() {
	dir, _ := os.MkdirTemp("", "load")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "loadavg")
	_ = os.WriteFile(path, []byte("5.20 4.90 3.10 2/80 11206"), 0o600)

	instance, _ := load.Library.Modules[0].Declare().New(context.Background(), host{}, facade.Parameters{
		{Key: "load_threshold_5min", Value: "4"}, {Key: "load_file", Value: path},
	})
	corrections, _ := instance.(qoscontroller.QoSController).Corrections(context.Background(),
		&mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{executor("batch", true), executor("web", false)}})
	for _, c := range corrections {
		fmt.Println(c.GetType(), c.GetKill().GetExecutorId().GetValue())
	}
	// Output: KILL batch
}

package checks_test

import (
	"context"
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor/checks"
)

func Example() {
	none := 0.0
	task := &mesosv1.TaskInfo{HealthCheck: &mesosv1.HealthCheck{
		Type: mesosv1.HealthCheck_COMMAND.Enum(), Command: &mesosv1.CommandInfo{}, DelaySeconds: &none,
	}}
	ctx, cancel := context.WithCancel(context.Background())
	set, err := checks.New(task,
		checks.Probes{Command: func(*mesosv1.CommandInfo) checks.Probe {
			return func(context.Context) (int, error) { return 0, nil }
		}},
		checks.Reports{Health: func(h checks.Health) {
			fmt.Println("healthy:", h.Healthy)
			cancel()
		}})
	if err != nil {
		fmt.Println(err)
		return
	}
	set.Run(ctx)
	// Output: healthy: true
}

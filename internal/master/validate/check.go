package validate

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// WithHealthCheckType is the task with the type of its health check filled in from
// what is set, as old frameworks leave it out. The task itself is not changed; it is
// returned if there is nothing to fill in.
func WithHealthCheckType(task *mesosv1.TaskInfo) *mesosv1.TaskInfo {
	check := task.GetHealthCheck()
	kind := healthCheckType(check)
	if check == nil || check.Type != nil || kind == mesosv1.HealthCheck_UNKNOWN {
		return task
	}
	filled := proto.CloneOf(task)
	filled.HealthCheck.Type = kind.Enum()
	return filled
}

func healthCheckType(check *mesosv1.HealthCheck) mesosv1.HealthCheck_Type {
	switch {
	case check.GetType() != mesosv1.HealthCheck_UNKNOWN:
		return check.GetType()
	case check.GetCommand() != nil:
		return mesosv1.HealthCheck_COMMAND
	case check.GetHttp() != nil:
		return mesosv1.HealthCheck_HTTP
	default:
		return mesosv1.HealthCheck_UNKNOWN
	}
}

func healthCheck(check *mesosv1.HealthCheck) error {
	kind := healthCheckType(check)
	switch kind {
	case mesosv1.HealthCheck_COMMAND:
		if check.Command == nil {
			return errors.New("Expecting 'command' to be set for COMMAND health check")
		}
		if err := checkCommand(check.GetCommand()); err != nil {
			return err
		}
	case mesosv1.HealthCheck_HTTP:
		http := check.GetHttp()
		if http == nil {
			return errors.New("Expecting 'http' to be set for HTTP health check")
		}
		if http.Scheme != nil && http.GetScheme() != "http" && http.GetScheme() != "https" {
			return fmt.Errorf("Unsupported HTTP health check scheme: '%s'", printable(http.GetScheme()))
		}
		if err := checkTarget(http.GetPort(), http.Path); err != nil {
			return err
		}
	case mesosv1.HealthCheck_TCP:
		if check.Tcp == nil {
			return errors.New("Expecting 'tcp' to be set for TCP health check")
		}
		if err := checkTarget(check.GetTcp().GetPort(), nil); err != nil {
			return err
		}
	default:
		if check.Type == nil {
			return errors.New("HealthCheck must specify 'type'")
		}
		return fmt.Errorf("'%s' is not a valid health check type", kind)
	}
	return checkTimes(
		seconds{"delay_seconds", check.GetDelaySeconds()},
		seconds{"grace_period_seconds", check.GetGracePeriodSeconds()},
		seconds{"interval_seconds", check.GetIntervalSeconds()},
		seconds{"timeout_seconds", check.GetTimeoutSeconds()},
	)
}

func checkInfo(check *mesosv1.CheckInfo) error {
	if check.Type == nil {
		return errors.New("CheckInfo must specify 'type'")
	}
	switch kind := check.GetType(); kind {
	case mesosv1.CheckInfo_COMMAND:
		if check.Command == nil {
			return errors.New("Expecting 'command' to be set for COMMAND check")
		}
		if err := checkCommand(check.GetCommand().GetCommand()); err != nil {
			return err
		}
	case mesosv1.CheckInfo_HTTP:
		if check.Http == nil {
			return errors.New("Expecting 'http' to be set for HTTP check")
		}
		if err := checkTarget(check.GetHttp().GetPort(), check.GetHttp().Path); err != nil {
			return err
		}
	case mesosv1.CheckInfo_TCP:
		if check.Tcp == nil {
			return errors.New("Expecting 'tcp' to be set for TCP check")
		}
		if err := checkTarget(check.GetTcp().GetPort(), nil); err != nil {
			return err
		}
	default:
		return fmt.Errorf("'%s' is not a valid check type", kind)
	}
	return checkTimes(
		seconds{"delay_seconds", check.GetDelaySeconds()},
		seconds{"interval_seconds", check.GetIntervalSeconds()},
		seconds{"timeout_seconds", check.GetTimeoutSeconds()},
	)
}

func checkCommand(cmd *mesosv1.CommandInfo) error {
	if cmd == nil || cmd.Value == nil {
		what := "executable"
		if cmd.GetShell() {
			what = "shell"
		}
		return fmt.Errorf("Command check must contain '%s command'", what)
	}
	if err := command(cmd); err != nil {
		return fmt.Errorf("Check's 'CommandInfo' is invalid: %w", err)
	}
	return nil
}

func checkTarget(port uint32, path *string) error {
	switch {
	case port > math.MaxUint16:
		return fmt.Errorf("port %d is out of range", port)
	case path != nil && !strings.HasPrefix(*path, "/"):
		return fmt.Errorf("The path '%s' of HTTP check must start with '/'", printable(*path))
	default:
		return nil
	}
}

type seconds struct {
	name  string
	value float64
}

func checkTimes(times ...seconds) error {
	for _, t := range times {
		if math.IsNaN(t.value) || t.value < 0 {
			return fmt.Errorf("Expecting '%s' to be non-negative", t.name)
		}
		if t.value >= math.MaxInt64/1e9 {
			return fmt.Errorf("'%s' is not within the range of durations", t.name)
		}
	}
	return nil
}

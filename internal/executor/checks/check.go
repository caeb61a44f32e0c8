package checks

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Empty is what the statuses of a task say of its check before there is a result, and when an attempt failed.
func Empty(check *mesosv1.CheckInfo) *mesosv1.CheckStatusInfo {
	status := &mesosv1.CheckStatusInfo{Type: check.GetType().Enum()}
	switch check.GetType() {
	case mesosv1.CheckInfo_COMMAND:
		status.Command = &mesosv1.CheckStatusInfo_Command{}
	case mesosv1.CheckInfo_HTTP:
		status.Http = &mesosv1.CheckStatusInfo_Http{}
	case mesosv1.CheckInfo_TCP:
		status.Tcp = &mesosv1.CheckStatusInfo_Tcp{}
	case mesosv1.CheckInfo_UNKNOWN:
	default: // a type of a later release: it has no result here
	}
	return status
}

// checker is a check under way.
type checker struct {
	pace   pace
	probe  Probe
	info   *mesosv1.CheckInfo
	last   *mesosv1.CheckStatusInfo
	report func(*mesosv1.CheckStatusInfo)
}

func newChecker(info *mesosv1.CheckInfo, probes Probes, report func(*mesosv1.CheckStatusInfo)) (*checker, error) {
	c := &checker{info: info, last: Empty(info), report: report}
	c.pace = pace{first: seconds(info.GetDelaySeconds()), interval: seconds(info.GetIntervalSeconds())}
	switch info.GetType() {
	case mesosv1.CheckInfo_COMMAND:
		c.probe = probes.Command(info.GetCommand().GetCommand())
	case mesosv1.CheckInfo_HTTP:
		c.probe = get("http://" + address(mesosv1.NetworkInfo_IPv4, info.GetHttp().GetPort()) + info.GetHttp().GetPath())
	case mesosv1.CheckInfo_TCP:
		c.probe = connect(address(mesosv1.NetworkInfo_IPv4, info.GetTcp().GetPort()))
	default:
		return nil, fmt.Errorf("check of unknown type %v", info.GetType())
	}
	c.probe = within(seconds(info.GetTimeoutSeconds()), c.probe)
	return c, nil
}

func (c *checker) attempt(ctx context.Context) {
	code, err := c.probe(ctx)
	if ctx.Err() != nil {
		return // interrupted, it has found nothing
	}
	status := c.status(code, err)
	if proto.Equal(status, c.last) {
		return
	}
	c.last = status
	c.report(status)
}

func (c *checker) status(code int, err error) *mesosv1.CheckStatusInfo {
	status := Empty(c.info)
	switch {
	case errors.Is(err, errTimeout):
	case c.info.GetType() == mesosv1.CheckInfo_TCP: // that nobody listens is a result
		status.Tcp.Succeeded = new(err == nil)
	case err != nil:
	case c.info.GetType() == mesosv1.CheckInfo_COMMAND:
		status.Command.ExitCode = new(int32(code))
	case c.info.GetType() == mesosv1.CheckInfo_HTTP:
		status.Http.StatusCode = new(uint32(code))
	}
	return status
}

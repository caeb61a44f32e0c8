package networkports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// ports is a set of ports, as ranges.
type ports []span

// span holds both its ends.
type span struct{ first, last uint16 }

func (p ports) has(port uint16) bool {
	return slices.ContainsFunc(p, func(s span) bool { return s.first <= port && port <= s.last })
}

// parse reads ports in the notation of resources. No text is no port.
func parse(text string) (ports, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return nil, fmt.Errorf("%q is no list of ports: want [begin-end]", text)
	}
	messages, err := resources.ParseMessages("ports:"+text, resources.AnyRole)
	if err != nil {
		return nil, err
	}
	all := granted(messages)
	for _, r := range messages[0].GetRanges().GetRange() {
		if r.GetEnd() > 65535 {
			return nil, fmt.Errorf("there is no port %d", r.GetEnd())
		}
	}
	return all, nil
}

// granted are the ports among resources.
func granted(all []*mesosv1.Resource) ports {
	out := ports{}
	for _, r := range all {
		if r.GetName() != "ports" {
			continue
		}
		for _, one := range r.GetRanges().GetRange() {
			if one.GetBegin() <= 65535 {
				out = append(out, span{uint16(one.GetBegin()), uint16(min(one.GetEnd(), 65535))})
			}
		}
	}
	return out
}

// spans makes the fewest ranges of sorted ports.
func spans(sorted []uint16) ports {
	var out ports
	for _, port := range sorted {
		if n := len(out); n > 0 && out[n-1].last+1 == port {
			out[n-1].last = port
			continue
		}
		out = append(out, span{port, port})
	}
	return out
}

// String is Mesos' notation.
func (p ports) String() string {
	all := make([]string, len(p))
	for n, s := range p {
		all[n] = strconv.Itoa(int(s.first)) + "-" + strconv.Itoa(int(s.last))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// resource is the ports as a resource.
func (p ports) resource() *mesosv1.Resource {
	ranges := &mesosv1.Value_Ranges{}
	for _, s := range p {
		ranges.Range = append(ranges.Range, &mesosv1.Value_Range{Begin: proto.Uint64(uint64(s.first)), End: proto.Uint64(uint64(s.last))})
	}
	return &mesosv1.Resource{Name: proto.String("ports"), Type: mesosv1.Value_RANGES.Enum(), Ranges: ranges}
}

package cgroupsmem

import (
	"fmt"
	"log/slog"
	"math"

	lib "github.com/opencontainers/cgroups"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
)

// least is what a container has at least, as upstream's.
const least = 32 << 20

type controller struct {
	parameters
	log *slog.Logger
}

var _ cgroups.Controller = (*controller)(nil)

// Limit implements cgroups.Controller. What a container is given is the amount that it
// keeps when others need memory; what it may use at most is only raised while it runs:
// a limit below what it uses already would end it.
func (c *controller) Limit(g *cgroups.Group, requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) error {
	mem, ok := cgroups.AmountOf("mem", requests, limits)
	if !ok {
		return nil
	}
	r := &lib.Resources{MemoryReservation: bytesOf(mem.Request)}
	hard := bytesOf(mem.Most())
	raise := !g.Limited
	if !raise {
		now, err := g.Number(memory, filesOf(g.Unified).limit)
		if err != nil {
			return err
		}
		raise = hard < 0 || uint64(hard) > now
	}
	if raise {
		r.Memory = hard
		if c.LimitSwap {
			r.MemorySwap = hard
		}
	}
	return g.Set(r)
}

// bytesOf reads megabytes; what is infinite is -1, as the library has it.
func bytesOf(megabytes float64) int64 {
	if n := megabytes * (1 << 20); n < math.MaxInt64 {
		return max(int64(n), least)
	}
	return -1
}

// Usage implements cgroups.Controller.
func (c *controller) Usage(g *cgroups.Group, out *mesosv1.ResourceStatistics) error {
	files := filesOf(g.Unified)
	total, err := g.Number(memory, files.total)
	if err != nil {
		return err
	}
	out.MemTotalBytes = &total
	counts, err := g.Counts(memory, "memory.stat")
	if err != nil {
		return err
	}
	for _, s := range files.statistics {
		if n, ok := counts[s.name]; ok {
			for _, field := range s.fields(out) {
				*field = proto.Uint64(n)
			}
		}
	}
	for _, o := range files.others {
		if o.swap && !c.LimitSwap {
			continue
		}
		if n, err := g.Number(memory, o.file); err == nil { // not every kernel counts it
			*o.field(out) = &n
		}
	}
	return nil
}

// Watch implements cgroups.Controller.
func (c *controller) Watch(g *cgroups.Group, sink func(*slave.ContainerLimitation)) (*cgroups.Watch, error) {
	folder := g.Folder(memory)
	tell := func(e cgroups.Event) { c.limited(g, e, sink) }
	if g.Unified {
		return cgroups.WatchEvents(folder, "memory.events", "oom_kill", 0, tell)
	}
	return cgroups.WatchOOM(folder, tell)
}

// limited says that a container needs more than it may have, and kills all that is in
// it: the kernel is about to kill what is largest, and who watches that in the container
// would report an end that has no reason.
func (c *controller) limited(g *cgroups.Group, e cgroups.Event, sink func(*slave.ContainerLimitation)) {
	if e.Err != nil {
		sink(&slave.ContainerLimitation{
			Reason:  mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION.Enum(),
			Message: proto.String(fmt.Sprintf("The memory of the container cannot be watched any more: %v", e.Err)),
		})
		return
	}
	f := readFigures(g.Folder(memory), g.Unified)
	sink(&slave.ContainerLimitation{
		Reason:  mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(),
		Message: proto.String(f.message()),
		Resources: []*mesosv1.Resource{{
			Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(float64(f.used) / (1 << 20))},
		}},
	})
	if err := g.Kill(memory); err != nil {
		c.log.Debug("a container that is out of memory is gone", "container", g.Container, "error", err)
	}
}

package slave

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

const (
	megabyte = 1 << 20
	gigabyte = 1 << 30
)

// The ports that an agent offers if nothing else is said.
const firstPort, lastPort = 31000, 32000

// machine is what a host has, in bytes.
type machine struct {
	cpus         int
	memory, disk uint64
}

// lookAround finds out what the host has; the disk is that of the work folder.
func lookAround(work string) (machine, error) {
	var disk syscall.Statfs_t
	if err := os.MkdirAll(work, 0o755); err != nil {
		return machine{}, fmt.Errorf("--work_dir: %w", err)
	}
	if err := syscall.Statfs(work, &disk); err != nil {
		return machine{}, fmt.Errorf("find out the size of the disk below %s: %w", work, err)
	}
	var memory syscall.Sysinfo_t
	if err := syscall.Sysinfo(&memory); err != nil {
		return machine{}, fmt.Errorf("find out the size of the memory: %w", err)
	}
	return machine{
		cpus: runtime.NumCPU(), memory: uint64(memory.Totalram) * uint64(memory.Unit),
		disk: disk.Blocks * uint64(disk.Bsize),
	}, nil
}

// offered is how much of something an agent offers: what leaves enough to the system,
// or half of what is not even twice as much.
func offered(total, spare uint64) float64 {
	if total >= 2*spare {
		return float64((total - spare) / megabyte)
	}
	return float64(total / 2 / megabyte)
}

// resourcesOf are those that the flag names, and those of the machine that it does not
// name.
func resourcesOf(flag, role string, m machine) ([]*mesosv1.Resource, error) {
	given, err := resources.ParseMessages(flag, role)
	if err != nil {
		return nil, fmt.Errorf("--resources: %w", err)
	}
	named := map[string]bool{}
	for _, r := range given {
		named[r.GetName()] = true
	}
	found := []*mesosv1.Resource{
		scalar("cpus", float64(m.cpus)), scalar("mem", offered(m.memory, gigabyte)), scalar("disk", offered(m.disk, 5*gigabyte)),
		{Name: proto.String("ports"), Type: mesosv1.Value_RANGES.Enum(), Ranges: &mesosv1.Value_Ranges{Range: []*mesosv1.Value_Range{{
			Begin: proto.Uint64(firstPort), End: proto.Uint64(lastPort),
		}}}},
	}
	for _, r := range found {
		if named[r.GetName()] {
			continue
		}
		if role != resources.AnyRole {
			r.Reservations = []*mesosv1.Resource_ReservationInfo{{
				Type: mesosv1.Resource_ReservationInfo_STATIC.Enum(), Role: proto.String(role),
			}}
		}
		given = append(given, r)
	}
	all, err := resources.New(given)
	if err != nil {
		return nil, fmt.Errorf("--resources: %w", err)
	}
	return all.Messages(), nil
}

func scalar(name string, amount float64) *mesosv1.Resource {
	return &mesosv1.Resource{
		Name: proto.String(name), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(amount)},
	}
}

package containers_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
)

// BenchmarkContainers launches "true" through the program that ships, waits for its end,
// and says what it costs all processes together.
func BenchmarkContainers(b *testing.B) {
	folder := b.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(folder, mesos.Program), "../../../cmd/mesos-containerizer").CombinedOutput()
	require.NoError(b, err, string(out))
	b.Run("plain", func(b *testing.B) {
		r := &real{t: b, runtime: b.TempDir(), work: b.TempDir(), program: folder}
		r.begin(nil)
		launchMany(b, r, func(c *mesosv1.ContainerID) containers.LaunchRequest { return r.request(c, "true") })
	})
	b.Run("in an image, with mount and pid namespaces", func(b *testing.B) {
		l := newLinux(b)
		l.program = folder
		l.begin(nil)
		launchMany(b, l.real, func(c *mesosv1.ContainerID) containers.LaunchRequest { return l.in(c, "true") })
	})
}

func launchMany(b *testing.B, r *real, request func(*mesosv1.ContainerID) containers.LaunchRequest) {
	var n atomic.Int64
	before := cpu(b)
	b.ResetTimer()
	b.SetParallelism(4)
	b.RunParallel(func(next *testing.PB) {
		for next.Next() {
			c := id(fmt.Sprint("c", n.Add(1)))
			r.launch(request(c))
			_, err := r.Wait(r.ctx(), c)
			require.NoError(b, err)
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "containers/s")
	b.ReportMetric((cpu(b)-before)*1000/float64(b.N), "cpu-ms/container")
}

// cpu is the time in seconds that this process and those it has waited for have used.
// The command is a grandchild: its time comes with its shim's.
func cpu(b *testing.B) (seconds float64) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		require.NoError(b, syscall.Getrusage(who, &u))
		seconds += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	return seconds
}

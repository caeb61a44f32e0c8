package spawn_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
)

// BenchmarkStart starts this test binary and waits for its end: how long the start takes,
// all of it, and the clearing up, which nobody waits for.
func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name string
		need func(testing.TB)
		c    vehicle.Confinement
	}{
		{"free", nil, vehicle.Confinement{}},
		{"rlimits", nil, vehicle.Confinement{OpenFiles: 128}},
		{"user", func(t testing.TB) { privileged.Root(t, "only root runs processes as somebody else") }, vehicle.Confinement{User: "nobody"}},
		{"seccomp", nil, vehicle.Confinement{Seccomp: "compute"}},
		{"landlock", nil, vehicle.Confinement{ReadOnly: []string{"/usr"}}},
		{"group", cgroupstest.Need, vehicle.Confinement{Memory: 256 << 20, CPUs: 2}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if c.need != nil {
				c.need(b)
			}
			image := own(b)
			var starts, ends time.Duration
			for b.Loop() {
				begin := time.Now()
				p, err := spawn.Start(b.Context(), spawn.Spec{Image: image, Name: "victim", Args: []string{victim, "exit", "0"}, Confinement: c.c})
				require.NoError(b, err)
				starts += time.Since(begin)
				<-p.Done()
				begin = time.Now()
				<-p.Cleared()
				ends += time.Since(begin)
			}
			b.ReportMetric(float64(starts.Microseconds())/float64(b.N)/1000, "ms-start/op")
			b.ReportMetric(float64(ends.Microseconds())/float64(b.N)/1000, "ms-clear/op")
		})
	}
}

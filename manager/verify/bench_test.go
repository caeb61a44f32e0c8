package verify_test

import (
	"fmt"
	"testing"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
)

// BenchmarkCheck verifies a set without fault: a thousand modules in one library, each but the first requiring two.
func BenchmarkCheck(b *testing.B) {
	const count = 1000
	name := func(i int) string { return fmt.Sprintf("org_example_m%04d", i) }
	var modules []vehicle.Module
	for i := range count {
		m := module(name(i), "Calculator")
		if i > 0 {
			m.Requires = []facade.Requirement{requires(name(i/2), ">=1 <2"), requires(name(i-1), "")}
		}
		modules = append(modules, m)
	}
	in := master()
	in.Libraries = []verify.Library{library("/opt/libmany.so", modules...)}
	in.Bindings = []verify.Binding{bind("calculator", name(count-1))}
	b.ReportAllocs()
	for b.Loop() {
		if result := verify.Check(in); result.Plan == nil {
			b.Fatal(result.Findings)
		}
	}
}

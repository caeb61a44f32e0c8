package cgroups_test

import (
	"fmt"
	"math"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
)

func ExampleAmountOf() {
	requests := []*mesosv1.Resource{scalar("cpus", 0.5), scalar("mem", 64), scalar("cpus", 1)}
	infinite := math.Inf(1)
	cpus, _ := cgroups.AmountOf("cpus", requests, map[string]*mesosv1.Value_Scalar{"cpus": {Value: &infinite}})
	fmt.Println(cpus.Request, cpus.Most(), cpus.Infinite())
	mem, _ := cgroups.AmountOf("mem", requests, nil)
	fmt.Println(mem.Request, mem.Most(), mem.Infinite())
	_, named := cgroups.AmountOf("disk", requests, nil)
	fmt.Println(named)
	// Output:
	// 1.5 +Inf true
	// 64 64 false
	// false
}

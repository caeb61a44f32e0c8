package trial_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// The main of a daemon begins with
//
//	if trial.Main(vehicles...) {
//		return
//	}
//
// and then any part of it may have libraries tried.
func Example() {
	verdicts, err := trial.Run(context.Background(), []trial.Request{
		{Vehicle: "fake", File: vehicle.File{Path: "good"}},
		{Vehicle: "fake", File: vehicle.File{Path: "exit"}},
		{Vehicle: "fake", File: vehicle.File{Path: "good"}},
	}, trial.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range verdicts {
		fmt.Println(v.Description.Complete, v.Err)
	}
	// Output:
	// true <nil>
	// false the library ended the trial process with exit status 5 while it was opened; look at what the library runs while it is opened
	// true <nil>
}

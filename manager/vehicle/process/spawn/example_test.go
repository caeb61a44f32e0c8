package spawn_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
)

func Example() {
	// Here the binary that runs; what an operator has named is opened by spawn.Open,
	// which checks that it is the file that was verified.
	image, err := spawn.Own("")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer image.Close() //nolint:errcheck // nothing was written

	p, err := spawn.Start(context.Background(), spawn.Spec{
		Image:       image,
		Name:        "library",
		Args:        []string{victim, "say", "hello\n", ""},
		Confinement: vehicle.Confinement{OpenFiles: 256, NoNewPrivileges: true},
		Lines:       func(stream, line string) { fmt.Printf("%s: %s\n", stream, line) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-p.Done()
	end, detail, _ := p.End()
	fmt.Println(end, "with", detail)
	<-p.Cleared()
	// Output:
	// stdout: hello
	// exited with exit status 0
}

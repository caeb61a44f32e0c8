package dockerv1_test

import (
	"fmt"

	dockerv1 "github.com/mesos-modules/mms/facade/mesos/docker/v1"
)

func Example() {
	manifest := &dockerv1.ImageManifest{Config: &dockerv1.ImageManifest_Config{Entrypoint: []string{"/bin/sh", "-c"}}}
	fmt.Println(manifest.GetConfig().GetEntrypoint())
	// Output: [/bin/sh -c]
}

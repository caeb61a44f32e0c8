package appc_test

import (
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/appc"
)

func Example() {
	manifest := &appc.ImageManifest{App: &appc.ImageManifest_App{Exec: []string{"/bin/web", "--port=80"}}}
	fmt.Println(manifest.GetApp().GetExec())
	// Output: [/bin/web --port=80]
}

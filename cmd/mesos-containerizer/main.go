// Command mesos-containerizer stands between an agent and one container. The
// agent's containerizer "mesos" starts it; there is nothing to run by hand.
package main

import (
	"os"

	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

func main() { os.Exit(shim.Main(os.Args[1:])) }

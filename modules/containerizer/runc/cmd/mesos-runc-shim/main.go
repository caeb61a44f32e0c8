// Command mesos-runc-shim holds one container of the runc containerizer. The agent starts
// it; it belongs into the agent's --launcher_dir.
package main

import (
	"os"

	"github.com/mesos-modules/mms/modules/containerizer/runc/shim"
)

func main() { os.Exit(shim.Main()) }

// Command mesos-module looks at libraries of Mesos modules, builds them, begins new
// ones, and asks a daemon what it would make of them. "mesos-module --help" says the
// rest, the exit codes included.
package main

import (
	"os"

	"github.com/mesos-modules/mms/internal/moduletool"
)

func main() { os.Exit(moduletool.Main()) }

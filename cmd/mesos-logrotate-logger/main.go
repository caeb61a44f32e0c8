// Command mesos-logrotate-logger takes the output of one container. The agent's
// container logger "org_apache_mesos_LogrotateContainerLogger" starts it; there is
// nothing to run by hand.
package main

import (
	"os"

	"github.com/mesos-modules/mms/modules/containerlogger/logrotate/rotate"
)

func main() { os.Exit(rotate.Main()) }

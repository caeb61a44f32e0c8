package moduletool

import "github.com/spf13/cobra"

func (t *Tool) verify() *cobra.Command {
	return t.toDaemon(asks{
		use: "verify", report: "verification", formats: []string{"text", "json"},
		short: "Ask a daemon what it holds against modules",
		long: `verify prints what a daemon would hold against the modules that it is given: every
finding of one run, each with its rule, the path that leads to it, and what mends
it. With none it prints the plan. "mesos-module rules" explains the rules.`,
		example: `  mesos-module verify --daemon=./bin/mesos-slave -- --modules=/opt/libadder.so:org_example_adder --calculator=org_example_adder
  mesos-module verify --daemon=./bin/mesos-master --format=json -- --modules=file:///etc/mesos/modules.json`,
	})
}

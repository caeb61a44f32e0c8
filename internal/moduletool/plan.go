package moduletool

import "github.com/spf13/cobra"

func (t *Tool) plan() *cobra.Command {
	return t.toDaemon(asks{
		use: "plan", report: "plan", formats: []string{"text", "json"},
		short: "Ask a daemon in which order it would make modules",
		long: `plan prints the order in which a daemon would make the modules that it is given, by
levels: modules of one level require nothing of one another. It says which modules
are made at start, which per use, which never, and what is bound to each site. If
something stands against the modules, the findings are printed instead.`,
		example: `  mesos-module plan --daemon=./bin/mesos-slave -- --modules=file:///etc/mesos/modules.json
  mesos-module plan --daemon=./bin/mesos-slave --format=json -- --modules_dir=/etc/mesos/modules | jq .levels`,
	})
}

package moduletool

import "github.com/spf13/cobra"

func (t *Tool) graph() *cobra.Command {
	return t.toDaemon(asks{
		use: "graph", report: "graph", formats: []string{"text", "json", "dot"},
		short: "Ask a daemon who requires whom",
		long: `graph prints the modules that a daemon is given and what each requires, level by
level; --format=dot draws it for Graphviz. If something stands against the modules,
the findings are printed instead, and for dot on standard error.`,
		example: `  mesos-module graph --daemon=./bin/mesos-slave -- --modules=file:///etc/mesos/modules.json
  mesos-module graph --daemon=./bin/mesos-slave --format=dot -- --modules_dir=/etc/mesos/modules | dot -Tsvg > modules.svg`,
	})
}

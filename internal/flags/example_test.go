package flags_test

import (
	"fmt"

	"github.com/mesos-modules/mms/internal/flags"
)

func ExampleSet_Parse() {
	set := flags.New(flags.Config{Program: "mesos-master", Prefix: "MESOS_"})
	group := set.Group("Agents")
	timeout := group.Duration("agent_ping_timeout", "How long an agent may take to answer a ping.",
		flags.Default("15secs"), flags.DeprecatedAlias("slave_ping_timeout"))
	port := group.Port("port", "The port to listen on.", flags.Default("5050"))

	notices, err := set.Parse([]string{"--slave_ping_timeout=90secs", "stray"}, []string{"MESOS_PORT=5051"})
	fmt.Println(timeout.Get(), port.Get(), port.Origin(), err)
	for _, n := range notices {
		fmt.Println(n)
	}
	// Output:
	// 1m30s 5051 MESOS_PORT <nil>
	// stray argument "stray" is ignored
	// --slave_ping_timeout is the old name of --agent_ping_timeout
}

func ExampleSet_Parse_problems() {
	set := flags.New(flags.Config{Program: "mesos-master", Prefix: "MESOS_"})
	group := set.Group("General")
	group.Path("work_dir", "Where the state is kept.")
	group.Port("port", "The port to listen on.", flags.Default("5050"))

	_, err := set.Parse([]string{"--work-dir=/tmp", "--port", "80"}, []string{})
	fmt.Println(err)
	// Output:
	// 2 problems with the flags:
	//   * --work-dir: unknown flag; did you mean --work_dir?
	//   * --port: a value follows an equals sign, not a space; write --port=80
	// See mesos-master --help for all flags.
}

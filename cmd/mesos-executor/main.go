// Command mesos-executor runs the command of one task. An agent starts it, and tells it by its environment where the
// agent is and whose task it runs; there is no use for it on a command line.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mesos-modules/mms/internal/executor/command"
)

func main() {
	options, err := command.ParseArgs(os.Args[1:])
	if err == nil {
		options.Environ, options.Diagnostics = os.Environ(), os.Stderr
		options.In, options.Out, options.Err = os.Stdin, os.Stdout, os.Stderr
		err = command.Run(context.Background(), options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mesos-executor:", err)
		os.Exit(1)
	}
}

// Command mesos-default-executor runs the tasks of groups. An agent starts it, and tells it by its environment where the
// agent is and whose tasks it runs; there is no use for it on a command line.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/mesos-modules/mms/internal/executor/standard"
)

func main() {
	for _, arg := range os.Args[1:] {
		if !strings.HasPrefix(arg, "--launcher_dir=") { // agents give it; there is no use for it here
			fmt.Fprintf(os.Stderr, "mesos-default-executor: unknown argument %q: want --launcher_dir=PATH\n", arg)
			os.Exit(1)
		}
	}
	err := standard.Run(context.Background(), standard.Options{Environ: os.Environ(), Diagnostics: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, "mesos-default-executor:", err)
		os.Exit(1)
	}
}

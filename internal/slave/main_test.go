package slave

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/internal/executor/command"
	"github.com/mesos-modules/mms/internal/executor/standard"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// TestMain is the programs of launcher_dir as well: a test's folder holds links to
// this binary.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case mesos.Program:
		os.Exit(shim.Main(os.Args[1:]))
	case "mesos-executor":
		os.Exit(execute())
	case "mesos-default-executor":
		if err := standard.Run(context.Background(), standard.Options{Environ: os.Environ(), Diagnostics: os.Stderr}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func execute() int {
	options, err := command.ParseArgs(os.Args[1:])
	if err == nil {
		options.Environ, options.Diagnostics = os.Environ(), os.Stderr
		options.In, options.Out, options.Err = os.Stdin, os.Stdout, os.Stderr
		err = command.Run(context.Background(), options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

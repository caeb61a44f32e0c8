package command

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable makes the test binary be the executor, so that a test can have it as a process of its own.
const childVariable = "MMS_TEST_EXECUTOR"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		err := Run(context.Background(), Options{
			Environ: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Diagnostics: os.Stderr,
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

package console_test

import (
	"os"
	"time"

	"github.com/mesos-modules/mms/internal/console"
	"github.com/mesos-modules/mms/lifecycle"
)

func Example() {
	c := console.New(console.Options{Out: os.Stdout})
	defer c.Close()
	c.Observe(lifecycle.PhaseBegan{Header: lifecycle.Header{Phase: lifecycle.Load}})
	c.Observe(lifecycle.StepEnded{Header: lifecycle.Header{Phase: lifecycle.Load, Library: "libcalc.so"}, Step: "open"})
	c.Observe(lifecycle.PhaseEnded{Header: lifecycle.Header{Phase: lifecycle.Load}, Duration: 12 * time.Millisecond})
	c.Printf("listening on %s", "127.0.0.1:5050")
	// Output:
	// load         begins
	// load         done: 1 library opened in 12ms
	// listening on 127.0.0.1:5050
}

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// Two sides of a link within one process: one lends an object, the other calls it.
func Example() {
	ours, theirs, err := link.Pair()
	if err != nil {
		fmt.Println(err)
		return
	}
	greeter := wire.ServantFunc(func(_ context.Context, _ *wire.Conn, method string, in *wire.Decoder, out *wire.Encoder) error {
		name := in.String()
		switch {
		case in.Err() != nil:
			return in.Err()
		case method != "Greet":
			return wire.UnknownMethod("", method)
		case name == "":
			return fmt.Errorf("greet: %w", fs.ErrInvalid)
		}
		out.String("hello, " + name)
		return nil
	})
	module := wire.NewConn(wire.Config{Root: greeter})
	started := make(chan error)
	go func() { started <- module.Start(theirs, link.Options{}) }()
	daemon := wire.NewConn(wire.Config{})
	if err := errors.Join(daemon.Start(ours, link.Options{}), <-started); err != nil {
		fmt.Println(err)
		return
	}
	defer module.Close()
	defer daemon.Close()

	for _, name := range []string{"world", ""} {
		args := wire.NewEncoder()
		args.String(name)
		results, err := daemon.Remote(0).Call(context.Background(), "Greet", args)
		if err != nil {
			fmt.Println(err, errors.Is(err, fs.ErrInvalid))
			continue
		}
		fmt.Println(results.String())
	}
	// Output:
	// hello, world
	// greet: invalid argument true
}

func ExampleEncoder() {
	e := wire.NewEncoder()
	e.String("cpus")
	e.Float64(1.5)
	e.Strings([]string{"a", "b"})
	b, _ := e.Encoded()

	d := wire.NewDecoder(b)
	fmt.Println(d.String(), d.Float64(), d.Strings(), d.Err())
	// Output: cpus 1.5 [a b] <nil>
}

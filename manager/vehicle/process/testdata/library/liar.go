package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// lie speaks the daemon's language and tells nonsense, if the program is called for that.
func lie(name string) {
	what, ok := strings.CutPrefix(name, "liar ")
	if !ok {
		return
	}
	hello := wire.Hello{Mesos: "9.9.9"}
	if what == "from the future" {
		hello.Lowest, hello.Highest = 7, 9
	}
	c := wire.NewConn(wire.Config{Root: liar(what), Hello: hello})
	if err := c.Start(os.NewFile(protocol.Control, "control"), link.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	<-c.Done()
	os.Exit(0)
}

type liar string

// Serve implements wire.Servant.
func (l liar) Serve(_ context.Context, c *wire.Conn, method string, _ *wire.Decoder, out *wire.Encoder) error {
	switch {
	case method == protocol.Describe && l == "without JSON":
		out.Bytes([]byte("{"))
	case method == protocol.Describe && l == "without anything":
		return wire.UnknownMethod("", method)
	case method == protocol.Describe && l == "who panics":
		panic("there is no bottom")
	case method == protocol.Describe && l == "who hangs up":
		go func() { _ = c.Close() }()
		select {}
	case method == protocol.Describe:
		long := strings.Repeat("x", 1<<20)
		return protocol.Answer(&wire.Decoder{}, out, func(protocol.Nothing) (protocol.Described, error) {
			return protocol.Described{Description: vehicle.Description{Vehicle: "balloon", MesosVersion: long, Modules: []vehicle.Module{
				{Name: "org_example_calculator", Role: "Calculator", Flaws: []string{long}},
				{Name: "org_example_nothing", Role: "Nothing"},
			}}}, nil
		})
	case method == protocol.Create:
		return protocol.Answer(&wire.Decoder{}, out, func(protocol.Nothing) (protocol.Created, error) {
			return protocol.Created{Role: strings.TrimPrefix(string(l), "of "), Object: 77}, nil
		})
	}
	return nil
}

package bridge_test

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
	"github.com/mesos-modules/mms/roles"
)

// Whatever the arguments of a call are, there is an answer.
func FuzzServants(f *testing.F) {
	type target struct {
		s      wire.Servant
		method string
	}
	var targets []target
	for _, r := range bridge.Roles() {
		for _, m := range r.Methods {
			s, _ := bridge.Servant(r.Role, echoOf(r.Role, func(string, context.Context, ...any) ([]any, error) { return make([]any, 4), nil }))
			targets = append(targets, target{s, m})
		}
	}
	e := wire.NewEncoder()
	e.Byte(1)
	e.Int64(2)
	b, err := e.Encoded()
	require.NoError(f, err)
	for i := range targets {
		f.Add(uint16(i), b)
		f.Add(uint16(i), []byte("\n\x03\n\x01a\x12\x02\x12\x00\x18\x01"))
	}
	f.Fuzz(func(t *testing.T, which uint16, args []byte) {
		on := targets[int(which)%len(targets)]
		c := wire.NewConn(wire.Config{Root: on.s})
		defer c.Close()
		answer := c.Handle(t.Context(), 0, on.method, args)
		require.NotEmpty(t, answer)
		require.Less(t, answer[0], byte(2), strings.ToValidUTF8(string(answer), "?"))
	})
}

// raw is another process that answers whatever it likes.
type raw struct{ answer atomic.Pointer[[]byte] }

func (r *raw) Handle(context.Context, uint64, string, []byte) []byte { return *r.answer.Load() }

// Whatever the answer to a call is, the caller gets it or an error, and a panic only where the
// other side says so.
func FuzzStubs(f *testing.F) {
	ours, theirs, err := link.Pair()
	require.NoError(f, err)
	other := &raw{}
	started := make(chan *link.Link, 1)
	go func() { l, _ := link.New(theirs, other, link.Options{}); started <- l }()
	c := wire.NewConn(wire.Config{})
	require.NoError(f, c.Start(ours, link.Options{}))
	l := <-started
	require.NotNil(f, l)
	f.Cleanup(func() {
		require.NoError(f, c.Close())
		require.NoError(f, l.Close())
	})
	var methods []reflect.Value
	for _, r := range roles.Table() {
		if r.Type == nil {
			continue
		}
		stub, ok := bridge.Stub(r.Name, c.Remote(1))
		require.True(f, ok)
		for i := range r.Type.NumMethod() {
			methods = append(methods, reflect.ValueOf(stub).MethodByName(r.Type.Method(i).Name))
		}
	}
	for i := range methods {
		for _, answer := range []string{"", "\x00", "\x00\x08\x02", "\x01\x12\x01a", "\x02\x12\x01a", "\x02\x08\x05\x32\x00", "\x03",
			"\x00\n\x03\n\x01a", "\x00\n\x02\x12\x00", "\x00\n\x05\x00\x01\x00\x01\x00"} {
			f.Add(uint16(i), []byte(answer))
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, answer []byte) {
		other.answer.Store(&answer)
		method := methods[int(which)%len(methods)]
		in := []reflect.Value{reflect.ValueOf(t.Context())}
		for i := 1; i < method.Type().NumIn(); i++ {
			in = append(in, reflect.Zero(method.Type().In(i)))
		}
		defer func() {
			if value := recover(); value != nil {
				require.IsType(t, &wire.PanicError{}, value)
				require.Equal(t, byte(2), answer[0])
			}
		}()
		out := method.Call(in)
		if len(answer) == 0 || answer[0] != 0 {
			require.False(t, out[len(out)-1].IsNil(), "no error")
		}
	})
}

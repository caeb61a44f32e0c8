package wire_test

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// Whatever comes, each value is read or refused. choose says as what each is read.
func FuzzDecoder(f *testing.F) {
	all := values()
	e := wire.NewEncoder()
	var order []byte
	for i, v := range all {
		v.put(e)
		order = append(order, byte(i))
		one := wire.NewEncoder()
		v.put(one)
		b, err := one.Encoded()
		require.NoError(f, err)
		f.Add(b, []byte{byte(i)})
	}
	b, err := e.Encoded()
	require.NoError(f, err)
	f.Add(b, order)
	f.Add([]byte{10, 4, 10, 0, 18, 0}, []byte{61})
	f.Fuzz(func(t *testing.T, b, choose []byte) {
		d := wire.NewDecoder(b)
		failed := false
		for _, c := range choose[:min(len(choose), 64)] {
			v := all[int(c)%len(all)].take(d)
			require.False(t, failed && d.Err() == nil, "the error went away")
			failed = d.Err() != nil
			if s, ok := v.([]string); ok {
				require.LessOrEqual(t, len(s), len(b))
			}
		}
	})
}

// Whatever comes, it is an error or refused, and crosses again as it is.
func FuzzError(f *testing.F) {
	for _, err := range []error{
		io.EOF, syscall.EPERM, errors.New("x"), fmt.Errorf("a: %w", io.EOF), errors.Join(io.EOF, errors.New("b")),
		&vehicle.GoneError{Module: "m", Library: "l", PID: 1, End: 2, Detail: "d", Said: "s"},
		&wire.UnknownMethodError{Role: "R", Method: "M"}, &wire.UnknownObjectError{ID: 3}, &wire.PanicError{Value: "v", Stack: "s"},
	} {
		f.Add(wire.EncodeError(err))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err, malformed := wire.DecodeError(b)
		require.Error(t, err)
		if malformed != nil {
			return
		}
		again, malformed := wire.DecodeError(wire.EncodeError(err))
		require.NoError(t, malformed)
		for _, known := range wire.Identities() {
			require.Equal(t, errors.Is(err, known.Error), errors.Is(again, known.Error), known.Name)
		}
		third, malformed := wire.DecodeError(wire.EncodeError(again))
		require.NoError(t, malformed)
		require.Equal(t, again.Error(), third.Error())
	})
}

// Whatever is called with whatever arguments, there is an answer that the caller can read.
func FuzzHandle(f *testing.F) {
	e := wire.NewEncoder()
	e.Uint64(1)
	e.Uint64(2)
	b, err := e.Encoded()
	require.NoError(f, err)
	for _, method := range []string{"hello", "end", "release", "Double", ""} {
		f.Add(uint64(0), method, b)
		f.Add(uint64(1), method, b)
		f.Add(uint64(2), method, b)
	}
	f.Fuzz(func(t *testing.T, object uint64, method string, args []byte) {
		c := faked(t, wire.Config{}, nil)
		c.Export(wire.ServantFunc(double))
		c.Export(&source{})
		answer := c.Handle(t.Context(), object, method, args)
		reader := faked(t, wire.Config{}, nil)
		_, err := reader.Read(method, answer)
		if malformed, ok := err.(*wire.MalformedError); ok {
			t.Fatalf("the answer cannot be read: %v", malformed)
		}
	})
}

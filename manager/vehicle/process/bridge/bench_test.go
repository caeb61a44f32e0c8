package bridge_test

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authorizer"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

type echoing struct{}

func (echoing) Start(context.Context, string, string, *mesosv1.Credential, []string) (*handshake.Start, error) {
	return nil, nil
}
func (echoing) Step(_ context.Context, data []byte) ([]byte, error) { return data, nil }

type permitting struct{}

func (permitting) Authorize(_ context.Context, requests []*authorization.Request) ([]bool, error) {
	return make([]bool, len(requests)), nil
}

// BenchmarkCall is a call by a stub of an instance behind a link within this process; Bare
// is what eight bytes cost there and back over a socket, for the ratio.
func BenchmarkCall(b *testing.B) {
	b.Run("Bare", bare)
	p := samePair(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.Run("Calculator", func(b *testing.B) {
		c := p.stub(b, "Calculator", adder{}).(calculator.Calculator)
		b.ReportAllocs()
		for b.Loop() {
			if n, err := c.Compute(ctx, 'A', 10); n != 75 || err != nil {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("Authorizer", func(b *testing.B) {
		a := p.stub(b, "Authorizer", permitting{}).(authorizer.Authorizer)
		request := &authorization.Request{Subject: &authorization.Subject{Value: new("ops")}}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Authorize(ctx, []*authorization.Request{request}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("1MiB", func(b *testing.B) {
		a := p.stub(b, "Authenticatee", echoing{}).(authenticatee.Authenticatee)
		data := make([]byte, 1<<20)
		b.SetBytes(2 * int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Step(ctx, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func bare(b *testing.B) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	require.NoError(b, err)
	var ends [2]net.Conn
	for i, fd := range pair {
		f := os.NewFile(uintptr(fd), "pair")
		ends[i], err = net.FileConn(f)
		require.NoError(b, err)
		require.NoError(b, f.Close())
	}
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		_, _ = io.Copy(struct{ io.Writer }{ends[1]}, struct{ io.Reader }{ends[1]}) // until the other end is closed
		_ = ends[1].Close()
	}()
	word := make([]byte, 8)
	for b.Loop() {
		_, err := ends[0].Write(word)
		if err == nil {
			_, err = io.ReadFull(ends[0], word)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, ends[0].Close())
	<-echoed
}

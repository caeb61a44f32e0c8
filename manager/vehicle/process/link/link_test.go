package link

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type handlerFunc func(ctx context.Context, object uint64, method string, args []byte) []byte

func (f handlerFunc) Handle(ctx context.Context, object uint64, method string, args []byte) []byte {
	return f(ctx, object, method, args)
}

var echo = handlerFunc(func(_ context.Context, _ uint64, _ string, args []byte) []byte { return args })

func two(t testing.TB, a, b Handler, o Options) (*Link, *Link) {
	t.Helper()
	ours, theirs, err := Pair()
	require.NoError(t, err)
	one, err := New(ours, a, o)
	require.NoError(t, err)
	other, err := New(theirs, b, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, one.Close())
		require.NoError(t, other.Close())
	})
	return one, other
}

func TestCalls(t *testing.T) {
	one, other := two(t, echo, echo, Options{})
	for _, l := range []*Link{one, other} {
		for _, size := range []int{0, 1, 8, 1000, 65536, 65537, 1 << 20, 10 << 20} {
			args := bytes.Repeat([]byte("abcdefgh"), size/8+1)[:size]
			answer, err := l.Call(context.Background(), 1, "m", bytes.Clone(args))
			require.NoError(t, err)
			require.True(t, bytes.Equal(args, answer), "%d", size)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			answer, err = l.Call(ctx, 1, "m", bytes.Clone(args))
			cancel()
			require.NoError(t, err)
			require.True(t, bytes.Equal(args, answer), "%d", size)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	one, _ := two(b, echo, echo, Options{})
	args := make([]byte, 8)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := one.Call(context.Background(), 1, "m", args); err != nil {
			b.Fatal(err)
		}
	}
}

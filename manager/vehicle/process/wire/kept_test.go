package wire_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// The memory of large messages is used again. What a servant or a caller keeps of one is
// his all the same.
func TestWhatIsKeptOfLargeMessages(t *testing.T) {
	const size = 300_000
	type values struct {
		bytes   []byte
		list    [][]byte
		message *wrapperspb.BytesValue
	}
	read := func(in *wire.Decoder, method string) (v values) {
		switch method {
		case "bytes":
			v.bytes = in.Bytes()
			v.message = wire.TakeMessage[wrapperspb.BytesValue](in)
		case "list":
			v.list = in.BytesList()
			v.message = wire.TakeMessage[wrapperspb.BytesValue](in)
		default:
			v.message = wire.TakeMessage[wrapperspb.BytesValue](in)
		}
		return v
	}
	write := func(e *wire.Encoder, method string, fill byte) {
		content := bytes.Repeat([]byte{fill}, size)
		switch method {
		case "bytes":
			e.Bytes(content)
		case "list":
			e.BytesList([][]byte{content[:size/2], content[size/2:]})
		}
		wire.PutMessage(e, &wrapperspb.BytesValue{Value: content})
	}
	whole := func(v values, fill byte) {
		t.Helper()
		want := bytes.Repeat([]byte{fill}, size)
		assert.True(t, v.bytes == nil || bytes.Equal(want, v.bytes))
		assert.True(t, v.list == nil || bytes.Equal(want, bytes.Join(v.list, nil)))
		assert.True(t, bytes.Equal(want, v.message.GetValue()))
	}

	kept := make(chan values, 1)
	p := linked(t, wire.Config{}, wire.Config{})
	r := p.remote(func(_ context.Context, _ *wire.Conn, method string, in *wire.Decoder, out *wire.Encoder) error {
		v := read(in, method)
		kept <- v
		write(out, method, v.message.GetValue()[0]+100)
		return in.Err()
	})
	methods := []string{"bytes", "list", "message"}
	var received, answered []values
	for i := range byte(30) {
		method, e := methods[int(i)%len(methods)], wire.NewEncoder()
		write(e, method, i)
		answer, err := r.Call(t.Context(), method, e)
		require.NoError(t, err)
		received, answered = append(received, <-kept), append(answered, read(answer, method))
		require.NoError(t, answer.Err())
	}
	for i := range byte(30) {
		whole(received[i], i)
		whole(answered[i], i+100)
	}
}

package wire_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// value is one that was written, and how it is read.
type value struct {
	name string
	put  func(e *wire.Encoder)
	take func(d *wire.Decoder) any
	want any
}

func of[T any](name string, put func(*wire.Encoder, T), take func(*wire.Decoder) T, all ...T) []value {
	var values []value
	for _, v := range all {
		values = append(values, value{name, func(e *wire.Encoder) { put(e, v) }, func(d *wire.Decoder) any { return take(d) }, v})
	}
	return values
}

func values() []value {
	type enc = wire.Encoder
	type dec = wire.Decoder
	var all []value
	for _, some := range [][]value{
		of("bool", (*enc).Bool, (*dec).Bool, false, true),
		of("byte", (*enc).Byte, (*dec).Byte, 0, 1, 127, 128, 255),
		of("int32", (*enc).Int32, (*dec).Int32, 0, 1, -1, math.MaxInt32, math.MinInt32),
		of("int64", (*enc).Int64, (*dec).Int64, 0, 1, -1, math.MaxInt64, math.MinInt64),
		of("uint32", (*enc).Uint32, (*dec).Uint32, 0, 1, math.MaxUint32),
		of("uint64", (*enc).Uint64, (*dec).Uint64, 0, 1, math.MaxUint64),
		of("float32", (*enc).Float32, (*dec).Float32, 0, 1.5, -1, float32(math.Inf(1)), math.MaxFloat32),
		of("float64", (*enc).Float64, (*dec).Float64, 0, 1.5, -1, math.Inf(-1), math.MaxFloat64),
		of("string", (*enc).String, (*dec).String, "", "a", "no \xff UTF-8", string(make([]byte, 1<<10))),
		of("bytes", (*enc).Bytes, (*dec).Bytes, nil, []byte{}, []byte("a"), make([]byte, 1<<10)),
		of("bools", (*enc).Bools, (*dec).Bools, nil, []bool{}, []bool{true, false, true}),
		of("int32s", (*enc).Int32s, (*dec).Int32s, nil, []int32{}, []int32{0, -1, math.MaxInt32, math.MinInt32}),
		of("int64s", (*enc).Int64s, (*dec).Int64s, nil, []int64{}, []int64{0, -1, math.MaxInt64, math.MinInt64}),
		of("uint32s", (*enc).Uint32s, (*dec).Uint32s, nil, []uint32{}, []uint32{0, 1, math.MaxUint32}),
		of("uint64s", (*enc).Uint64s, (*dec).Uint64s, nil, []uint64{}, []uint64{0, 1, math.MaxUint64}),
		of("float32s", (*enc).Float32s, (*dec).Float32s, nil, []float32{}, []float32{0, 1.5, -1}),
		of("float64s", (*enc).Float64s, (*dec).Float64s, nil, []float64{}, []float64{0, 1.5, -1}),
		of("strings", (*enc).Strings, (*dec).Strings, nil, []string{}, []string{"", "a", ""}),
		of("bytes list", (*enc).BytesList, (*dec).BytesList, nil, [][]byte{}, [][]byte{nil, {}, []byte("a"), nil}),
		of("message", wire.PutMessage[mesosv1.TaskID], wire.TakeMessage[mesosv1.TaskID], nil, &mesosv1.TaskID{}, &mesosv1.TaskID{Value: new("a")}),
		of("messages", wire.PutMessages[mesosv1.TaskID], wire.TakeMessages[mesosv1.TaskID], nil, []*mesosv1.TaskID{},
			[]*mesosv1.TaskID{nil, {}, {Value: new("a")}, nil}),
	} {
		all = append(all, some...)
	}
	return all
}

func requireValue(t *testing.T, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case *mesosv1.TaskID:
		require.Equal(t, want == nil, got.(*mesosv1.TaskID) == nil)
		require.True(t, proto.Equal(want, got.(*mesosv1.TaskID)))
	case []*mesosv1.TaskID:
		require.Equal(t, want == nil, got.([]*mesosv1.TaskID) == nil)
		require.Len(t, got, len(want))
		for i := range want {
			requireValue(t, want[i], got.([]*mesosv1.TaskID)[i])
		}
	default:
		require.Equal(t, want, got)
	}
}

func encoded(t *testing.T, e *wire.Encoder) []byte {
	t.Helper()
	b, err := e.Encoded()
	require.NoError(t, err)
	return b
}

func TestValues(t *testing.T) {
	all := values()
	t.Run("each comes as it went", func(t *testing.T) {
		for _, v := range all {
			t.Run(v.name, func(t *testing.T) {
				e := wire.NewEncoder()
				v.put(e)
				d := wire.NewDecoder(encoded(t, e))
				requireValue(t, v.want, v.take(d))
				require.NoError(t, d.Err())
			})
		}
	})
	t.Run("all of them in one go", func(t *testing.T) {
		e := wire.NewEncoder()
		for _, v := range all {
			v.put(e)
		}
		d := wire.NewDecoder(encoded(t, e))
		for _, v := range all {
			requireValue(t, v.want, v.take(d))
		}
		require.NoError(t, d.Err())
	})
	t.Run("what is not a number, and minus zero", func(t *testing.T) {
		e := wire.NewEncoder()
		e.Float64(math.Copysign(0, -1))
		e.Float32(float32(math.NaN()))
		d := wire.NewDecoder(encoded(t, e))
		require.True(t, math.Signbit(d.Float64()))
		require.True(t, math.IsNaN(float64(d.Float32())))
	})
	t.Run("protobuf reads it", func(t *testing.T) {
		e := wire.NewEncoder()
		e.String("a")
		b := encoded(t, e)
		id := &mesosv1.TaskID{}
		require.NoError(t, proto.Unmarshal(b, id))
		require.Equal(t, "a", id.GetValue())
	})
	t.Run("what an older side does not ask for is passed over, and what it does not send is zero", func(t *testing.T) {
		for _, v := range all {
			e := wire.NewEncoder()
			v.put(e)
			e.Uint64(7)
			d := wire.NewDecoder(protowire.AppendVarint(protowire.AppendTag(encoded(t, e), 100, protowire.VarintType), 1))
			d.Bool() // of another type: an error, unless it is not there
			if d.Err() != nil {
				continue
			}
			require.Equal(t, uint64(7), d.Uint64())
			require.Zero(t, d.Int32())
			require.Nil(t, d.Bytes())
			require.NoError(t, d.Err())
		}
	})
	t.Run("fields that a message has here and not there are kept", func(t *testing.T) {
		newer := &mesosv1.TaskID{Value: new("a")}
		newer.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 4000, protowire.VarintType), 5))
		e := wire.NewEncoder()
		wire.PutMessage(e, newer)
		wire.PutMessages(e, []*mesosv1.TaskID{newer})
		d := wire.NewDecoder(encoded(t, e))
		require.True(t, proto.Equal(newer, wire.TakeMessage[mesosv1.TaskID](d)))
		require.True(t, proto.Equal(newer, wire.TakeMessages[mesosv1.TaskID](d)[0]))
	})
	t.Run("bytes that were read cannot grow into what follows", func(t *testing.T) {
		e := wire.NewEncoder()
		e.Bytes([]byte("a"))
		e.BytesList([][]byte{[]byte("b"), []byte("c")})
		d := wire.NewDecoder(encoded(t, e))
		_ = append(d.Bytes(), "xxxxxxxx"...)
		list := d.BytesList()
		_ = append(list[0], "xxxxxxxx"...)
		require.Equal(t, [][]byte{[]byte("b"), []byte("c")}, list)
	})
	t.Run("text is cut and made UTF-8", func(t *testing.T) {
		e := wire.NewEncoder()
		e.String("ab\xff")
		e.String("ß")
		d := wire.NewDecoder(encoded(t, e))
		require.Equal(t, "ab\uFFFD", d.Text(10))
		require.Equal(t, "\uFFFD", d.Text(1))
	})
}

func TestWhatCannotCross(t *testing.T) {
	t.Run("a list that is too long", func(t *testing.T) {
		for name, put := range map[string]func(*wire.Encoder){
			"bools":   func(e *wire.Encoder) { e.Bools(make([]bool, wire.MaxElements+1)) },
			"floats":  func(e *wire.Encoder) { e.Float64s(make([]float64, wire.MaxElements+1)) },
			"strings": func(e *wire.Encoder) { e.Strings(make([]string, wire.MaxElements+1)) },
			"messages": func(e *wire.Encoder) {
				wire.PutMessages(e, make([]*mesosv1.TaskID, wire.MaxElements+1))
			},
		} {
			e := wire.NewEncoder()
			put(e)
			_, err := e.Encoded()
			require.EqualError(t, err, "value 1 cannot cross: a list has 1048577 elements, and 1048576 can cross", name)
		}
		e := wire.NewEncoder()
		e.Bools(make([]bool, wire.MaxElements))
		require.Len(t, wire.NewDecoder(encoded(t, e)).Bools(), wire.MaxElements)
	})
	t.Run("a message that protobuf refuses", func(t *testing.T) {
		bad := wrapperspb.String("no UTF-8: \xff")
		for _, put := range []func(*wire.Encoder){
			func(e *wire.Encoder) { wire.PutMessage(e, bad) },
			func(e *wire.Encoder) { wire.PutMessages(e, []*wrapperspb.StringValue{nil, bad}) },
		} {
			e := wire.NewEncoder()
			e.Bool(true)
			put(e)
			_, err := e.Encoded()
			require.ErrorContains(t, err, "value 2 cannot cross: ")
			require.ErrorContains(t, err, "UTF-8")
		}
	})
	t.Run("a list from the other side that is too long", func(t *testing.T) {
		content := make([]byte, wire.MaxElements+1)
		d := wire.NewDecoder(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), content))
		require.Nil(t, d.Bools())
		require.ErrorContains(t, d.Err(), "more than the 1048576 elements")

		content = nil
		for range wire.MaxElements + 1 {
			content = protowire.AppendBytes(protowire.AppendTag(content, 1, protowire.BytesType), nil)
		}
		d = wire.NewDecoder(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), content))
		require.Nil(t, wire.TakeMessages[mesosv1.TaskID](d))
		require.ErrorContains(t, d.Err(), "more than the 1048576 elements")
	})
	t.Run("numbers out of range", func(t *testing.T) {
		e := wire.NewEncoder()
		e.Uint64(1 << 40)
		b := encoded(t, e)
		for name, take := range map[string]func(*wire.Decoder){
			"bool": func(d *wire.Decoder) { d.Bool() }, "byte": func(d *wire.Decoder) { d.Byte() },
			"int32": func(d *wire.Decoder) { d.Int32() }, "uint32": func(d *wire.Decoder) { d.Uint32() },
		} {
			d := wire.NewDecoder(b)
			take(d)
			var malformed *wire.MalformedError
			require.ErrorAs(t, d.Err(), &malformed, name)
			require.Equal(t, 1, malformed.Value)
		}
	})
	t.Run("anything cut short or changed is an error or another value, and nothing after an error is anything", func(t *testing.T) {
		all := values()
		e := wire.NewEncoder()
		for _, v := range all {
			v.put(e)
		}
		b := encoded(t, e)
		for i := range b {
			readAll(t, all, b[:i:i])
			changed := append([]byte(nil), b...)
			for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
				changed[i] = b[i] ^ bit
				readAll(t, all, changed)
			}
		}
	})
}

func readAll(t *testing.T, all []value, b []byte) {
	t.Helper()
	d := wire.NewDecoder(b)
	for _, v := range all {
		v.take(d)
	}
	if d.Err() != nil {
		require.Zero(t, d.Int64())
		require.Empty(t, d.String())
		require.Nil(t, wire.TakeMessage[mesosv1.TaskID](d))
	}
}

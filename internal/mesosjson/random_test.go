package mesosjson_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

// maker makes messages of any type with anything in them that JSON can say.
type maker struct {
	*rand.Rand
	room int // how many fields more a message may have
}

func (r *maker) message(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		required := fd.Cardinality() == protoreflect.Required
		if !required && (r.room <= 0 || depth > 6 || r.IntN(3) > 0) {
			continue
		}
		r.room--
		switch {
		case fd.IsMap():
			entries := m.Mutable(fd).Map()
			for range r.IntN(3) {
				v := entries.NewValue()
				if fd.MapValue().Message() != nil {
					r.message(v.Message(), depth+1)
				} else {
					v = r.scalar(fd.MapValue())
				}
				entries.Set(protoreflect.ValueOfString(r.text()).MapKey(), v)
			}
		case fd.IsList():
			list := m.Mutable(fd).List()
			for range r.IntN(3) {
				v := list.NewElement()
				if fd.Message() != nil {
					r.message(v.Message(), depth+1)
				} else {
					v = r.scalar(fd)
				}
				list.Append(v)
			}
		case fd.Message() != nil:
			r.message(m.Mutable(fd).Message(), depth+1)
		default:
			m.Set(fd, r.scalar(fd))
		}
	}
}

func (r *maker) scalar(fd protoreflect.FieldDescriptor) protoreflect.Value {
	bits := r.Uint64() >> r.IntN(64)
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(bits&1 == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(fd.Enum().Values().Get(r.IntN(fd.Enum().Values().Len())).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(bits))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(bits))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(bits))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(bits)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(r.double()))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(r.double())
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(r.text()))
	default:
		return protoreflect.ValueOfString(r.text())
	}
}

func (r *maker) double() float64 {
	switch r.IntN(4) {
	case 0:
		return float64(r.IntN(100))
	case 1:
		return math.Inf(r.IntN(2)*2 - 1)
	default:
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) {
			return 0.1
		}
		return f
	}
}

func (r *maker) text() string {
	runes := []rune("abcXYZ01 /\\\"<>&\x00\x1f\x7f\n\té€𝄞\u2028\ufffd")
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return b.String()
}

// types are all messages of the v1 API, by name.
func types() []protoreflect.MessageType {
	var all []protoreflect.MessageType
	protoregistry.GlobalTypes.RangeMessages(func(typ protoreflect.MessageType) bool {
		if strings.HasPrefix(string(typ.Descriptor().FullName()), "mesos.v1.") && !typ.Descriptor().IsMapEntry() {
			all = append(all, typ)
		}
		return true
	})
	sort.Slice(all, func(i, j int) bool { return all[i].Descriptor().FullName() < all[j].Descriptor().FullName() })
	return all
}

func TestRandomMessagesComeBack(t *testing.T) {
	random := &maker{Rand: rand.New(rand.NewPCG(1, 2))}
	all := types()
	require.Greater(t, len(all), 300)
	compared := 0
	for _, typ := range all {
		for range 4 {
			random.room = 60
			m := typ.New()
			random.message(m, 0)
			want := proto.Clone(m.Interface())
			setDefaults(want.ProtoReflect())

			text, err := mesosjson.Marshal(m.Interface())
			require.NoError(t, err)
			require.True(t, json.Valid(text), "%s", text)
			back := typ.New().Interface()
			require.NoError(t, mesosjson.Unmarshal(text, back), "%s", text)
			require.True(t, proto.Equal(want, back), "%s", text)

			again, err := mesosjson.Marshal(back)
			require.NoError(t, err)
			require.Equal(t, string(text), string(again))

			if holdsDuration(typ.Descriptor(), nil) {
				continue // of which protojson makes a string
			}
			compared++
			other := typ.New().Interface()
			require.NoError(t, protojson.Unmarshal(text, other), "protojson reads it too: %s", text)
			require.True(t, proto.Equal(want, other), "%s", text)

			theirs, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m.Interface())
			require.NoError(t, err)
			fromTheirs := typ.New().Interface()
			require.NoError(t, mesosjson.Unmarshal(theirs, fromTheirs), "%s", theirs)
			require.True(t, proto.Equal(m.Interface(), fromTheirs), "and this package reads what protojson writes: %s", theirs)
		}
	}
	assert.Greater(t, compared, 1000)
}

func holdsDuration(md protoreflect.MessageDescriptor, seen []protoreflect.MessageDescriptor) bool {
	for _, known := range seen {
		if known == md {
			return false
		}
	}
	if md.FullName() == "google.protobuf.Duration" {
		return true
	}
	for i := range md.Fields().Len() {
		if inner := md.Fields().Get(i).Message(); inner != nil && holdsDuration(inner, append(seen, md)) {
			return true
		}
	}
	return false
}

// Damage to a text that is right is an error or another message, and never anything else.
func TestDamagedTextsAreReadOrRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, g := range goldens(t) {
		text := g.text(t)
		for range 80 {
			damaged := append([]byte(nil), text...)
			switch at := random.IntN(len(damaged)); random.IntN(3) {
			case 0:
				damaged = damaged[:at]
			case 1:
				damaged[at] = byte(random.Uint32())
			default:
				damaged = append(damaged[:at], damaged[at+random.IntN(len(damaged)-at):]...)
			}
			checkReading(t, damaged, g.message.ProtoReflect().Type())
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	all := types()
	for i, typ := range all {
		if i%40 == 0 {
			f.Add([]byte(`{}`), uint16(i))
		}
		for _, g := range goldens(f) {
			if g.message.ProtoReflect().Type() == typ {
				f.Add(g.pretty, uint16(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, of uint16) {
		checkReading(t, text, all[int(of)%len(all)])
	})
}

// checkReading asserts what holds for any text whatever.
func checkReading(t *testing.T, text []byte, typ protoreflect.MessageType) {
	t.Helper()
	m := typ.New().Interface()
	err := mesosjson.Unmarshal(text, m)
	if err != nil {
		var syntax *mesosjson.SyntaxError
		var field *mesosjson.FieldError
		var missing *mesosjson.MissingError
		switch {
		case assert.ObjectsAreEqual("", err.Error()):
			assert.Fail(t, "an error says what it is")
		case isA(err, &syntax):
			if json.Valid(text) {
				assert.Regexp(t, "escape that is none|beyond what a double holds|nested more|more than", syntax.Problem, "JSON is refused")
			}
		case isA(err, &field), isA(err, &missing):
		default:
			assert.Fail(t, "an error of another kind", "%T", err)
		}
		return
	}
	written, err := mesosjson.Marshal(m)
	require.NoError(t, err)
	require.True(t, json.Valid(written), "%s", written)
	back := typ.New().Interface()
	require.NoError(t, mesosjson.Unmarshal(written, back), "%s", written)
	again, err := mesosjson.Marshal(back)
	require.NoError(t, err)
	assert.Equal(t, string(written), string(again))
}

func isA[E error](err error, target *E) bool {
	e, ok := err.(E)
	*target = e
	return ok
}

package bridge_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var messageType = reflect.TypeFor[proto.Message]()

// anyValue makes a value of a type of the roles.
func anyValue(r *rand.Rand, t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64))
		if r.IntN(8) == 0 {
			v.SetUint(1<<t.Bits() - 1)
		}
	case reflect.Int32, reflect.Int64:
		v.SetInt((int64(r.Uint64()) >> r.IntN(64)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.String:
		v.SetString(anyText(r))
	case reflect.Slice:
		if r.IntN(5) > 0 {
			n := r.IntN(5)
			v.Set(reflect.MakeSlice(t, n, n))
			for i := range n {
				v.Index(i).Set(anyValue(r, t.Elem()))
			}
		}
	case reflect.Pointer:
		if r.IntN(5) > 0 {
			v.Set(reflect.New(t.Elem()))
			fill(r, v.Interface().(proto.Message).ProtoReflect(), 4)
		}
	default:
		panic(fmt.Sprintf("no value of a %v is known", t))
	}
	return v
}

func anyText(r *rand.Rand) string {
	return string([]rune{'a', 'ß', '世', 0, '\n', 'z'}[:r.IntN(7)])
}

// fill sets some of the fields of m.
func fill(r *rand.Rand, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		message := f.Message() != nil
		if r.IntN(2) == 0 || message && depth == 0 {
			continue
		}
		switch {
		case f.IsMap():
		case f.IsList():
			list := m.Mutable(f).List()
			for range r.IntN(3) {
				list.Append(element(r, f, list.NewElement, depth))
			}
		default:
			m.Set(f, element(r, f, func() protoreflect.Value { return m.NewField(f) }, depth))
		}
	}
}

func element(r *rand.Rand, f protoreflect.FieldDescriptor, empty func() protoreflect.Value, depth int) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		v := empty()
		fill(r, v.Message(), depth-1)
		return v
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(r.IntN(values.Len())).Number())
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(anyText(r)))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(anyText(r))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(r.IntN(2) == 1)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(r.Float32())
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(r.Float64())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(r.Uint32())
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(r.Uint64())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(r.Int32())
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(r.Int64())
	default:
		panic(fmt.Sprintf("no value of %v is known", f.Kind()))
	}
}

// requireSame compares what was sent with what came: also nil with nil.
func requireSame(t *testing.T, want, got reflect.Value) {
	t.Helper()
	require.Equal(t, want.Type(), got.Type())
	switch {
	case want.Type().Implements(messageType):
		require.Equal(t, want.IsNil(), got.IsNil())
		a, b := want.Interface().(proto.Message), got.Interface().(proto.Message)
		require.True(t, proto.Equal(a, b), "sent %v\ncame %v", a, b)
	case want.Kind() == reflect.Slice:
		require.Equal(t, want.IsNil(), got.IsNil())
		require.Equal(t, want.Len(), got.Len())
		for i := range want.Len() {
			requireSame(t, want.Index(i), got.Index(i))
		}
	default:
		require.Equal(t, want.Interface(), got.Interface())
	}
}

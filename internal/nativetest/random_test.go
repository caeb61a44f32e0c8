package nativetest

import (
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// fillMessage sets the required fields of a message, and others by chance, to what JSON can say.
func fillMessage(r *rand.Rand, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Cardinality() != protoreflect.Required && (r.IntN(3) > 0 || f.Message() != nil && depth > 3) ||
			f.ContainingOneof() != nil && m.WhichOneof(f.ContainingOneof()) != nil {
			continue
		}
		switch {
		case f.IsMap():
			all := m.Mutable(f).Map()
			for range 1 + r.IntN(2) {
				v := all.NewValue()
				if f.MapValue().Message() != nil {
					fillMessage(r, v.Message(), depth+1)
				} else {
					v = random(r, f.MapValue())
				}
				all.Set(random(r, f.MapKey()).MapKey(), v)
			}
		case f.IsList():
			all := m.Mutable(f).List()
			for range 1 + r.IntN(2) {
				v := all.NewElement()
				if f.Message() != nil {
					fillMessage(r, v.Message(), depth+1)
				} else {
					v = random(r, f)
				}
				all.Append(v)
			}
		case f.Message() != nil:
			fillMessage(r, m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, random(r, f))
		}
	}
}

func random(r *rand.Rand, f protoreflect.FieldDescriptor) protoreflect.Value {
	number := r.Uint64() >> r.IntN(64)
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(number&1 == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(f.Enum().Values().Get(r.IntN(f.Enum().Values().Len())).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(-int32(number))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(-int64(number))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(number))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(number)
	case protoreflect.DoubleKind:
		all := []float64{0, 1, -0.1, 1e21, 1e-7, math.Pi, math.Inf(1), math.Inf(-1), math.MaxFloat64, float64(number)}
		return protoreflect.ValueOfFloat64(all[r.IntN(len(all))])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{byte(number), 0, 0xff, 'x'}[:r.IntN(5)])
	default:
		all := []string{"", "plain", "quo\"ted\\", "line\nend\x00", "größe €", "😀 \x7f", "</script>\u2028"}
		return protoreflect.ValueOfString(all[r.IntN(len(all))])
	}
}

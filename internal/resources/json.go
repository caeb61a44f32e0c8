package resources

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// maxDepth is how deep JSON may be nested.
const maxDepth = 200

// syntaxError says that a text is no JSON array at all.
type syntaxError struct{ err error }

func (e *syntaxError) Error() string { return "no JSON array of resources: " + e.err.Error() }
func (e *syntaxError) Unwrap() error { return e.err }

// parseJSON reads an array of resources in Mesos' JSON dialect: unknown fields
// are ignored, null is unset, numbers may be strings, enums are names, one
// element may stand for a list of one.
func parseJSON(text, defaultRole string) ([]*mesosv1.Resource, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var elements []any
	if err := d.Decode(&elements); err != nil {
		return nil, &syntaxError{err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &syntaxError{errors.New("there is text behind the array")}
	}
	if deeper(elements, maxDepth) {
		return nil, fmt.Errorf("the JSON is nested deeper than %d", maxDepth)
	}
	var all []error
	var messages []*mesosv1.Resource
	for i, element := range elements {
		if element == nil {
			continue
		}
		m := &mesosv1.Resource{}
		if err := fill(m.ProtoReflect(), element); err != nil {
			all = append(all, fmt.Errorf("resource %d in the JSON: %w", i, err))
			continue
		}
		if m.Role == nil && len(m.Reservations) == 0 {
			m.Role = proto.String(defaultRole)
		}
		messages = append(messages, m)
	}
	return messages, errors.Join(all...)
}

// deeper says whether a value has more levels than that, in fields nobody knows
// too. The decoder has limited them already, so that this ends.
func deeper(v any, levels int) bool {
	switch v := v.(type) {
	case []any:
		return levels == 0 || slices.ContainsFunc(v, func(each any) bool { return deeper(each, levels-1) })
	case map[string]any:
		if levels == 0 {
			return true
		}
		for _, each := range v {
			if deeper(each, levels-1) {
				return true
			}
		}
	}
	return false
}

// fill sets the fields of a message from a JSON object.
func fill(m protoreflect.Message, from any) error {
	object, ok := from.(map[string]any)
	if !ok {
		return errors.New("expected an object")
	}
	var missing []string
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if v := object[string(field.Name())]; v != nil {
			if err := fillField(m, field, v); err != nil {
				return fmt.Errorf("%s: %w", field.Name(), err)
			}
		}
		if field.Cardinality() == protoreflect.Required && !m.Has(field) {
			missing = append(missing, string(field.Name()))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing required fields: %s", strings.Join(missing, ", "))
	}
	return nil
}

func fillField(m protoreflect.Message, field protoreflect.FieldDescriptor, from any) error {
	switch {
	case field.IsMap():
		return fillMap(m.Mutable(field).Map(), field, from)
	case field.IsList():
		elements, ok := from.([]any)
		if !ok {
			elements = []any{from}
		}
		list := m.Mutable(field).List()
		for _, element := range elements {
			v, keep, err := convert(list.NewElement, field, element)
			if err != nil {
				return err
			}
			if keep {
				list.Append(v)
			}
		}
		return nil
	default:
		v, keep, err := convert(func() protoreflect.Value { return m.NewField(field) }, field, from)
		if keep && err == nil {
			m.Set(field, v)
		}
		return err
	}
}

// fillMap fills a map with keys that are strings, as all in these messages are.
func fillMap(m protoreflect.Map, field protoreflect.FieldDescriptor, from any) error {
	object, ok := from.(map[string]any)
	if !ok || field.MapKey().Kind() != protoreflect.StringKind {
		return errors.New("expected an object")
	}
	for _, key := range slices.Sorted(maps.Keys(object)) { // of several errors always the same
		v, keep, err := convert(m.NewValue, field.MapValue(), object[key])
		if err != nil {
			return err
		}
		if keep {
			m.Set(protoreflect.ValueOfString(key).MapKey(), v)
		}
	}
	return nil
}

// convert makes one value of a field; keep is false for null and for names that
// an enum does not have.
func convert(fresh func() protoreflect.Value, field protoreflect.FieldDescriptor, from any) (v protoreflect.Value, keep bool, _ error) {
	if from == nil {
		return v, false, nil
	}
	text, isText := from.(string)
	if number, ok := from.(json.Number); ok && field.Kind() != protoreflect.StringKind {
		text, isText = number.String(), field.Kind() != protoreflect.EnumKind && field.Kind() != protoreflect.BytesKind
	}
	switch kind := field.Kind(); {
	case kind == protoreflect.MessageKind:
		v = fresh()
		return v, true, fill(v.Message(), from)
	case kind == protoreflect.BoolKind:
		if truth, ok := from.(bool); ok {
			return protoreflect.ValueOfBool(truth), true, nil
		}
		if text == "true" || text == "false" {
			return protoreflect.ValueOfBool(text == "true"), true, nil
		}
	case !isText:
	case kind == protoreflect.StringKind:
		return protoreflect.ValueOfString(text), true, nil
	case kind == protoreflect.EnumKind:
		if named := field.Enum().Values().ByName(protoreflect.Name(text)); named != nil {
			return protoreflect.ValueOfEnum(named.Number()), true, nil
		}
		return v, false, nil
	case kind == protoreflect.BytesKind:
		data, err := base64.StdEncoding.DecodeString(text)
		return protoreflect.ValueOfBytes(data), true, err
	default:
		return convertNumber(kind, text)
	}
	return v, false, fmt.Errorf("expected a value of type %s", field.Kind())
}

// convertNumber reads a number; fractions of whole numbers are cut.
func convertNumber(kind protoreflect.Kind, text string) (v protoreflect.Value, keep bool, err error) {
	number, err := strconv.ParseFloat(text, 64)
	if strings.ContainsAny(text, "xX_") || math.IsNaN(number) || math.IsInf(number, 0) && text != "Infinity" && text != "-Infinity" {
		err = strconv.ErrSyntax
	}
	if err != nil {
		return v, false, fmt.Errorf("%q is no number", text)
	}
	fits := false
	switch kind {
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(number), true, nil
	case protoreflect.Uint64Kind:
		whole, exact := strconv.ParseUint(text, 10, 64)
		if exact != nil {
			whole, fits = uint64(number), number > -1 && number < math.MaxUint64
		}
		v, fits = protoreflect.ValueOfUint64(whole), fits || exact == nil
	case protoreflect.Int64Kind:
		whole, exact := strconv.ParseInt(text, 10, 64)
		if exact != nil {
			whole, fits = int64(number), number >= math.MinInt64 && number < math.MaxInt64
		}
		v, fits = protoreflect.ValueOfInt64(whole), fits || exact == nil
	case protoreflect.Uint32Kind:
		v, fits = protoreflect.ValueOfUint32(uint32(number)), number > -1 && number < math.MaxUint32+1
	case protoreflect.Int32Kind:
		v, fits = protoreflect.ValueOfInt32(int32(number)), number > math.MinInt32-1 && number < math.MaxInt32+1
	default:
		return v, false, fmt.Errorf("no field of a resource is a %s", kind)
	}
	if !fits {
		return v, false, fmt.Errorf("%s does not fit into %s", text, kind)
	}
	return v, true, nil
}

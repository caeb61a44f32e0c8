package resources

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// ParseAttributes reads name:value;… as an agent's command line has it; a line
// break separates like a semicolon. Only the first colon separates name from
// value. A value is a number, ranges in brackets or a text without its spaces.
// A set, an empty name or an empty value is an error. The error names all that
// is wrong. The caller owns the messages.
func ParseAttributes(text string) (attributes []*mesosv1.Attribute, _ error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("a text of %d bytes for attributes is longer than %d", len(text), MaxText)
	}
	var all []error
	for _, entry := range tokens(text, ";\n") {
		a, err := parseAttribute(entry)
		if err != nil {
			all = append(all, fmt.Errorf("attribute %q: %w", entry, err))
			continue
		}
		attributes = append(attributes, a)
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return attributes, nil
}

func parseAttribute(entry string) (*mesosv1.Attribute, error) {
	name, text, _ := strings.Cut(entry, ":")
	if name == "" || text == "" {
		return nil, errors.New("the form is name:value, neither empty")
	}
	v, err := parseValue(text)
	if err != nil {
		return nil, err
	}
	a := &mesosv1.Attribute{Name: proto.String(name), Type: v.kind.Enum()}
	switch v.kind {
	case mesosv1.Value_SCALAR:
		a.Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(v.number)}
	case mesosv1.Value_RANGES:
		a.Ranges = rangesMessage(v.ranges)
	case mesosv1.Value_TEXT:
		a.Text = &mesosv1.Value_Text{Value: proto.String(v.text)}
	default:
		return nil, fmt.Errorf("a value of type %s is not allowed", v.kind)
	}
	return a, nil
}

// ValidateAttribute says what is wrong with an attribute that comes from
// elsewhere.
func ValidateAttribute(a *mesosv1.Attribute) error {
	if a.GetName() == "" {
		return errors.New("the name of an attribute is empty")
	}
	has := false
	switch a.GetType() {
	case mesosv1.Value_SCALAR:
		has = a.Type != nil && a.Scalar != nil
	case mesosv1.Value_RANGES:
		has = a.Ranges != nil
	case mesosv1.Value_TEXT:
		has = a.Text != nil
	default:
		return fmt.Errorf("attribute %q: type %s is not allowed", a.GetName(), a.GetType())
	}
	if !has {
		return fmt.Errorf("attribute %q has no value of its type", a.GetName())
	}
	return nil
}

// EqualAttributes says whether each attribute of a is in b with the same value,
// and there are no more. Of several with one name and type the first counts.
// Numbers are compared to the thousandth.
func EqualAttributes(a, b []*mesosv1.Attribute) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(each *mesosv1.Attribute) bool {
		at := slices.IndexFunc(b, func(other *mesosv1.Attribute) bool {
			return other.GetName() == each.GetName() && other.GetType() == each.GetType()
		})
		return at < 0 || !sameAttribute(each, b[at])
	})
}

func sameAttribute(a, b *mesosv1.Attribute) bool {
	return ScalarOf(a.GetScalar().GetValue()) == ScalarOf(b.GetScalar().GetValue()) &&
		slices.Equal(rangesOf(a.GetRanges()), rangesOf(b.GetRanges())) &&
		a.GetText().GetValue() == b.GetText().GetValue()
}

// AttributeFields are attributes as /state shows them, in order. The caller
// owns the slice.
func AttributeFields(attributes []*mesosv1.Attribute) []Field {
	fields := make([]Field, 0, len(attributes))
	for _, a := range attributes {
		f := Field{Name: a.GetName(), IsText: true}
		switch a.GetType() {
		case mesosv1.Value_SCALAR:
			f.IsText, f.Number = false, a.GetScalar().GetValue()
		case mesosv1.Value_RANGES:
			f.Text = string(appendRanges(nil, rangesOf(a.GetRanges())))
		case mesosv1.Value_SET:
			f.Text = string(appendSet(nil, a.GetSet().GetItem()))
		default: // TEXT
			f.Text = a.GetText().GetValue()
		}
		fields = append(fields, f)
	}
	return fields
}

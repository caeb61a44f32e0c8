package resources

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// MaxText is how many bytes of text Parse and its like read.
const MaxText = 1 << 20

// Parse reads what a command line says. That is either the text form
//
//	cpus:4;mem:1024;ports:[31000-32000];disk(role):100;volumes:{a,b}
//
// or a JSON array of messages Resource. What names no role belongs to
// defaultRole; a role other than "*" is a STATIC reservation. Empty values
// vanish. Persistent volumes, revocable resources, DYNAMIC reservations and one
// name with two types are errors. The error names all that is wrong.
func Parse(text, defaultRole string) (Resources, error) {
	messages, err := ParseMessages(text, defaultRole)
	if err != nil {
		return Resources{}, err
	}
	return New(messages)
}

// ParseMessages is Parse without calculating: the messages are valid, of the
// shape Post and in the order of the text, empty ones too. They tell an agent
// which names not to detect by itself. The caller owns them.
func ParseMessages(text, defaultRole string) ([]*mesosv1.Resource, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("a text of %d bytes for resources is longer than %d", len(text), MaxText)
	}
	messages, err := parseEither(text, defaultRole)
	if err != nil {
		return nil, err
	}
	if messages, err = Convert(messages, Post); err != nil {
		return nil, err
	}
	if err := validateCommandLine(messages); err != nil {
		return nil, err
	}
	return messages, nil
}

// parseEither reads one of the two forms. A text that looks like JSON and is
// neither form gets the error of the JSON form.
func parseEither(text, defaultRole string) ([]*mesosv1.Resource, error) {
	if !strings.HasPrefix(trim(text), "[") {
		return parseText(text, defaultRole)
	}
	messages, err := parseJSON(text, defaultRole)
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		if other, otherErr := parseText(text, defaultRole); otherErr == nil {
			return other, nil
		}
	}
	return messages, err
}

func parseText(text, defaultRole string) (messages []*mesosv1.Resource, _ error) {
	var all []error
	for _, entry := range tokens(text, ";") {
		m, err := parseEntry(entry, defaultRole)
		if err != nil {
			all = append(all, fmt.Errorf("resource %q: %w", trim(entry), err))
			continue
		}
		messages = append(messages, m)
	}
	return messages, errors.Join(all...)
}

// parseEntry reads name:value or name(role):value.
func parseEntry(entry, role string) (*mesosv1.Resource, error) {
	pair := tokens(entry, ":")
	if len(pair) != 2 {
		return nil, errors.New("missing or extra ':'; the form is name:value or name(role):value")
	}
	name := pair[0]
	if before, rest, found := strings.Cut(name, "("); found {
		inner, _, closed := strings.Cut(rest, ")")
		if !closed || strings.Contains(before, ")") {
			return nil, errors.New("mismatched parentheses; the form is name(role):value")
		}
		name, role = before, trim(inner)
	}
	v, err := parseValue(pair[1])
	if err != nil {
		return nil, err
	}
	m := &mesosv1.Resource{Name: proto.String(trim(name)), Role: proto.String(role), Type: v.kind.Enum()}
	switch v.kind {
	case mesosv1.Value_SCALAR:
		m.Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(v.number)}
	case mesosv1.Value_RANGES:
		m.Ranges = rangesMessage(v.ranges)
	case mesosv1.Value_SET:
		m.Set = &mesosv1.Value_Set{Item: v.set}
	default:
		return nil, fmt.Errorf("%q is no number, no [ranges] and no {set}", v.text)
	}
	return m, nil
}

// validateCommandLine refuses what only programs may say. Of names it looks at
// those with something in them, as Mesos does.
func validateCommandLine(messages []*mesosv1.Resource) error {
	var all []error
	types := map[string]mesosv1.Value_Type{}
	for _, m := range messages {
		r := resourceOf(m)
		if r.empty() {
			continue
		}
		known, seen := types[r.Name()]
		types[r.Name()] = r.Type()
		var problem string
		switch {
		case r.IsPersistentVolume():
			problem = "persistent volumes cannot be specified at the command line"
		case r.IsRevocable():
			problem = "revocable resources cannot be specified at the command line; leave 'revocable' out"
		case r.IsDynamicallyReserved():
			problem = "dynamic reservations cannot be specified at the command line; use STATIC ones"
		case seen && known != r.Type():
			problem = fmt.Sprintf("one name with different types, %s and %s, is not allowed", known, r.Type())
		default:
			continue
		}
		all = append(all, fmt.Errorf("resource %q: %s", r.Name(), problem))
	}
	return errors.Join(all...)
}

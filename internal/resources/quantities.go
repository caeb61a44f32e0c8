package resources

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Quantities are amounts by name, in the order of the alphabet; a name that is
// not there has 0. They forget what tells resources from each other and are
// what shares, guarantees and minimums are calculated with. They are values
// like Resources.
type Quantities struct {
	list []amount // by name, all above 0; never changed once it is here
}

type amount struct {
	name  string
	value Scalar
}

func quantity(name string, value Scalar) Quantities {
	if value <= 0 {
		return Quantities{}
	}
	return Quantities{[]amount{{name, value}}}
}

// ParseQuantities reads name:number;… with the rules of Parse. What comes twice
// is added up, zero is left out. The error names all that is wrong.
func ParseQuantities(text string) (Quantities, error) {
	entries, err := parseAmounts(text)
	if err != nil {
		return Quantities{}, err
	}
	var q Quantities
	for _, each := range entries {
		q.list = addAmount(q.list, each.name, each.value)
	}
	return q, nil
}

// NewQuantities copies amounts from a message. Zeros are left out.
func NewQuantities(from map[string]*mesosv1.Value_Scalar) (Quantities, error) {
	list, err := amountsOf(from)
	if err != nil {
		return Quantities{}, err
	}
	return Quantities{slices.DeleteFunc(list, func(each amount) bool { return each.value == 0 })}, nil
}

// Quantities are all resources by name; ranges and sets count how many they
// have.
func (r Resources) Quantities() Quantities {
	list := make([]amount, 0, len(r.list))
	for i := range r.list {
		list = addAmount(list, r.list[i].id.name, r.list[i].amount())
	}
	return Quantities{list}
}

// ScalarQuantities are the scalars by name.
func (r Resources) ScalarQuantities() Quantities {
	list := make([]amount, 0, len(r.list))
	for i := range r.list {
		if each := &r.list[i]; each.id.kind == mesosv1.Value_SCALAR {
			list = addAmount(list, each.id.name, each.scalar)
		}
	}
	return Quantities{list}
}

// ScalarQuantitiesOf are the scalars that a predicate holds for, by name.
func (r Resources) ScalarQuantitiesOf(keep func(Resource) bool) Quantities {
	var list []amount
	for i := range r.list {
		if each := &r.list[i]; each.id.kind == mesosv1.Value_SCALAR && keep(*each) {
			if list == nil {
				list = make([]amount, 0, len(r.list)-i)
			}
			list = addAmount(list, each.id.name, each.scalar)
		}
	}
	return Quantities{list}
}

// ContainsQuantities says whether there is as much of each name, whatever else
// tells the resources from each other.
func (r Resources) ContainsQuantities(q Quantities) bool {
	for _, want := range q.list {
		missing := want.value
		for i := range r.list {
			if r.list[i].id.name == want.name && missing > 0 {
				missing = missing.Sub(r.list[i].amount())
			}
		}
		if missing > 0 {
			return false
		}
	}
	return true
}

// amount is the scalar, or how many numbers or items there are.
func (r *Resource) amount() Scalar {
	switch r.id.kind {
	case mesosv1.Value_RANGES:
		var sum Scalar
		for _, each := range r.ranges {
			sum = sum.Add(whole(each.size()))
		}
		return sum
	case mesosv1.Value_SET:
		return whole(uint64(len(r.set)))
	default: // validated: a scalar
		return r.scalar
	}
}

func whole(n uint64) Scalar {
	if n > uint64(most/1000) {
		return most
	}
	return Scalar(n) * 1000
}

// Get is the amount of a name.
func (q Quantities) Get(name string) Scalar {
	for i := range q.list {
		if q.list[i].name == name {
			return q.list[i].value
		}
	}
	return 0
}

// All are the names with their amounts, in order.
func (q Quantities) All() iter.Seq2[string, Scalar] { return all(q.list) }

// Empty says whether every name has 0.
func (q Quantities) Empty() bool { return len(q.list) == 0 }

// Add is the sum.
func (q Quantities) Add(o Quantities) Quantities {
	if len(q.list) == 0 {
		return o
	}
	if len(o.list) == 0 {
		return q
	}
	a, b := q.list, o.list
	sum := make([]amount, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch order := strings.Compare(a[0].name, b[0].name); {
		case order < 0:
			sum, a = append(sum, a[0]), a[1:]
		case order > 0:
			sum, b = append(sum, b[0]), b[1:]
		default:
			sum = append(sum, amount{a[0].name, a[0].value.Add(b[0].value)})
			a, b = a[1:], b[1:]
		}
	}
	return Quantities{append(append(sum, a...), b...)}
}

// Sub is the difference; nothing becomes less than 0.
func (q Quantities) Sub(o Quantities) Quantities {
	if len(q.list) == 0 || len(o.list) == 0 {
		return q
	}
	left := make([]amount, 0, len(q.list))
	b := o.list
	for _, each := range q.list {
		for len(b) > 0 && b[0].name < each.name {
			b = b[1:]
		}
		if len(b) > 0 && b[0].name == each.name {
			each.value = each.value.Sub(b[0].value)
		}
		if each.value > 0 {
			left = append(left, each)
		}
	}
	return Quantities{left}
}

// Contains says whether o has no more of any name.
func (q Quantities) Contains(o Quantities) bool {
	a := q.list
	for _, each := range o.list {
		for len(a) > 0 && a[0].name < each.name {
			a = a[1:]
		}
		if len(a) == 0 || a[0].name != each.name || a[0].value < each.value {
			return false
		}
	}
	return true
}

// Equal says whether all amounts are equal.
func (q Quantities) Equal(o Quantities) bool { return slices.Equal(q.list, o.list) }

// Message are the quantities as messages have them. The caller owns the map.
func (q Quantities) Message() map[string]*mesosv1.Value_Scalar { return scalarMessages(q.list) }

// String is for logs: cpus:1; mem:32, and {} for nothing.
func (q Quantities) String() string { return printAmounts(q.list) }

// The functions below serve Quantities and Limits.

func all(list []amount) iter.Seq2[string, Scalar] {
	return func(yield func(string, Scalar) bool) {
		for _, each := range list {
			if !yield(each.name, each.value) {
				return
			}
		}
	}
}

// place is where in a list a name is, or belongs. Lists are short.
func place(list []amount, name string) (at int, found bool) {
	for at < len(list) && list[at].name < name {
		at++
	}
	return at, at < len(list) && list[at].name == name
}

// addAmount adds to a list that nobody else has.
func addAmount(list []amount, name string, value Scalar) []amount {
	at, found := place(list, name)
	switch {
	case value <= 0:
		return list
	case found:
		list[at].value = list[at].value.Add(value)
		return list
	default:
		return slices.Insert(list, at, amount{name, value})
	}
}

// parseAmounts reads name:number;… in the order of the text.
func parseAmounts(text string) (list []amount, _ error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("a text of %d bytes for quantities is longer than %d", len(text), MaxText)
	}
	var all []error
	for _, entry := range tokens(text, ";") {
		each, err := parseAmount(entry)
		if err != nil {
			all = append(all, fmt.Errorf("quantity %q: %w", trim(entry), err))
			continue
		}
		list = append(list, each)
	}
	return list, errors.Join(all...)
}

func parseAmount(entry string) (amount, error) {
	pair := tokens(entry, ":")
	if len(pair) != 2 {
		return amount{}, errors.New("missing or extra ':'; the form is name:number")
	}
	v, err := parseValue(pair[1])
	if err != nil {
		return amount{}, err
	}
	if v.kind != mesosv1.Value_SCALAR {
		return amount{}, fmt.Errorf("only numbers are allowed, not %s", trim(pair[1]))
	}
	value, err := amountOf(v.number)
	return amount{trim(pair[0]), value}, err
}

func amountOf(v float64) (Scalar, error) {
	value := ScalarOf(v)
	switch {
	case v < 0:
		return 0, fmt.Errorf("negative values are not allowed: %v", v)
	case value < 0: // NaN too
		return 0, fmt.Errorf("%v does not fit", v)
	default:
		return value, nil
	}
}

// amountsOf copies amounts, zeros too. The error names all that are none.
func amountsOf(from map[string]*mesosv1.Value_Scalar) ([]amount, error) {
	list := make([]amount, 0, len(from))
	var all []error
	for _, name := range slices.Sorted(maps.Keys(from)) {
		value, err := amountOf(from[name].GetValue())
		if err != nil {
			all = append(all, fmt.Errorf("quantity %q: %w", name, err))
		}
		list = append(list, amount{name, value})
	}
	return list, errors.Join(all...)
}

func scalarMessages(list []amount) map[string]*mesosv1.Value_Scalar {
	m := make(map[string]*mesosv1.Value_Scalar, len(list))
	for _, each := range list {
		m[each.name] = &mesosv1.Value_Scalar{Value: proto.Float64(each.value.Float())}
	}
	return m
}

func printAmounts(list []amount) string {
	if len(list) == 0 {
		return "{}"
	}
	var b strings.Builder
	for i, each := range list {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(each.name + ":" + each.value.String())
	}
	return b.String()
}

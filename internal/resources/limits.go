package resources

import (
	"fmt"
	"iter"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Limits are the most there may be of each name, in the order of the alphabet;
// a name that is not there has no limit. They are values like Resources.
type Limits struct {
	list []amount // by name, none below 0; never changed once it is here
}

// ParseLimits reads name:number;… with the rules of Parse. Zero is a limit; one
// name twice is an error. The error names all that is wrong.
func ParseLimits(text string) (Limits, error) {
	entries, err := parseAmounts(text)
	if err != nil {
		return Limits{}, err
	}
	var l Limits
	for _, each := range entries {
		at, found := place(l.list, each.name)
		if found {
			return Limits{}, fmt.Errorf("limit %q is there twice: duplicate names are not allowed", each.name)
		}
		l.list = slices.Insert(l.list, at, each)
	}
	return l, nil
}

// NewLimits copies limits from a message.
func NewLimits(from map[string]*mesosv1.Value_Scalar) (Limits, error) {
	list, err := amountsOf(from)
	if err != nil {
		return Limits{}, err
	}
	return Limits{list}, nil
}

// Get is the limit of a name, if it has one.
func (l Limits) Get(name string) (limit Scalar, limited bool) {
	at, found := place(l.list, name)
	if !found {
		return 0, false
	}
	return l.list[at].value, true
}

// All are the names that have a limit, with it, in order.
func (l Limits) All() iter.Seq2[string, Scalar] { return all(l.list) }

// Empty says whether no name has a limit.
func (l Limits) Empty() bool { return len(l.list) == 0 }

// Sub is what may still come when q is there already; no limit becomes less
// than 0, and no limit stays none.
func (l Limits) Sub(q Quantities) Limits {
	left := slices.Clone(l.list)
	for i := range left {
		left[i].value = max(left[i].value.Sub(q.Get(left[i].name)), 0)
	}
	return Limits{left}
}

// Allows says whether q stays within the limits.
func (l Limits) Allows(q Quantities) bool {
	for _, each := range l.list {
		if q.Get(each.name) > each.value {
			return false
		}
	}
	return true
}

// Contains says whether all that o allows is allowed here too.
func (l Limits) Contains(o Limits) bool {
	for _, each := range l.list {
		if limit, limited := o.Get(each.name); !limited || limit > each.value {
			return false
		}
	}
	return true
}

// Equal says whether all limits are equal.
func (l Limits) Equal(o Limits) bool { return slices.Equal(l.list, o.list) }

// Message are the limits as messages have them. The caller owns the map.
func (l Limits) Message() map[string]*mesosv1.Value_Scalar { return scalarMessages(l.list) }

// String is for logs: cpus:1; mem:32, and {} for none.
func (l Limits) String() string { return printAmounts(l.list) }

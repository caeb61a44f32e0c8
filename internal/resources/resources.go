package resources

import (
	"fmt"
	"iter"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Resources are different resources in order, none of them empty. The zero
// value has none. See the package for the rules and who owns what.
type Resources struct {
	list []Resource // never changed once it is here
}

// MaxResources is how many messages New takes. Comparing two lists takes time
// in proportion to the product of their lengths.
const MaxResources = 1 << 14

// New copies messages of any shape and adds them up; what is empty vanishes.
// The error names all that are not valid, by their place in the list.
func New(messages []*mesosv1.Resource) (Resources, error) {
	if len(messages) > MaxResources {
		return Resources{}, fmt.Errorf("%d resources are more than %d", len(messages), MaxResources)
	}
	if err := ValidateAll(messages); err != nil {
		return Resources{}, err
	}
	list := make([]Resource, 0, len(messages))
	for _, m := range messages {
		r := resourceOf(m)
		list = put(list, &r, len(list))
	}
	return Resources{list}, nil
}

// Messages are the resources as messages in the shape Post, in order. A shared
// resource is one message however often it was added. The caller owns them.
func (r Resources) Messages() []*mesosv1.Resource {
	if len(r.list) == 0 {
		return nil
	}
	messages := make([]*mesosv1.Resource, len(r.list))
	for i := range r.list {
		messages[i] = r.list[i].Message()
	}
	return messages
}

// Len is how many different resources there are.
func (r Resources) Len() int { return len(r.list) }

// Empty says whether there are none.
func (r Resources) Empty() bool { return len(r.list) == 0 }

// All are the resources in order.
func (r Resources) All() iter.Seq[Resource] { return slices.Values(r.list) }

// Add puts o behind r and merges what can be merged.
func (r Resources) Add(o Resources) Resources {
	if len(o.list) == 0 {
		return r
	}
	if len(r.list) == 0 {
		return o
	}
	list := slices.Clone(r.list)
	for i := range o.list {
		list = put(list, &o.list[i], i)
	}
	return Resources{list}
}

// Sub takes o away, as far as it is there. What r has too little of vanishes
// and never becomes less than nothing.
func (r Resources) Sub(o Resources) Resources {
	if len(o.list) == 0 || len(r.list) == 0 {
		return r
	}
	list := slices.Clone(r.list)
	for i := range o.list {
		list = take(list, &o.list[i], i)
	}
	return Resources{list}
}

// Contains says whether r has all that o has. It allocates nothing unless there
// are persistent volumes or long sets.
func (r Resources) Contains(o Resources) bool {
	if len(o.list) == 0 || len(r.list) == len(o.list) && &r.list[0] == &o.list[0] {
		return true
	}
	remaining, cloned := r.list, false
	for i := range o.list {
		part := &o.list[i]
		if !anyHolds(remaining, part, i) {
			return false
		}
		if part.id.volume { // one volume is not two, even if they look the same
			if !cloned {
				remaining, cloned = slices.Clone(remaining), true
			}
			remaining = take(remaining, part, i)
		}
	}
	return true
}

// Equal says whether each contains the other; order does not count.
func (r Resources) Equal(o Resources) bool { return r.Contains(o) && o.Contains(r) }

// Convert replaces consumed by converted, as an operation does.
func (r Resources) Convert(consumed, converted Resources) (Resources, error) {
	if !r.Contains(consumed) {
		return Resources{}, fmt.Errorf("%s does not contain %s", r, consumed)
	}
	return r.Sub(consumed).Add(converted), nil
}

// The functions below are given the place where the resource is most likely:
// lists that were calculated from each other mostly have one order.

// put adds a resource to a list that nobody else has.
func put(list []Resource, r *Resource, likely int) []Resource {
	if r.empty() {
		return list
	}
	if likely < len(list) && addable(&list[likely], r) {
		list[likely].plus(r)
		return list
	}
	for i := range list {
		if addable(&list[i], r) {
			list[i].plus(r)
			return list
		}
	}
	return append(list, *r)
}

// take takes a resource from a list that nobody else has. The last takes the
// place of one that is used up.
func take(list []Resource, r *Resource, likely int) []Resource {
	at := likely
	if at >= len(list) || !subtractable(&list[at], r) {
		for at = 0; at < len(list) && !subtractable(&list[at], r); {
			at++
		}
	}
	if at == len(list) {
		return list
	}
	list[at].minus(r)
	if list[at].empty() {
		last := len(list) - 1
		list[at] = list[last]
		list = list[:last]
	}
	return list
}

func anyHolds(list []Resource, r *Resource, likely int) bool {
	if likely < len(list) && alike(&list[likely], r) && !r.id.whole {
		return holdsValue(&list[likely], r) // no other is alike
	}
	for i := range list {
		if holds(&list[i], r) {
			return true
		}
	}
	return false
}

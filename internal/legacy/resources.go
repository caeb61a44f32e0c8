package legacy

import (
	"slices"
	"strconv"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// Resources writes resources as an object of numbers and texts; cpus, disk, gpus and
// mem are always there. A large cluster has hundreds of thousands of them, nearly all
// with nothing special; those are written without calculating with them, which would
// take ten times as long.
func (d *Document) Resources(key string, r resources.Resources) {
	if d.scratch.collect(r) {
		d.amounts(key)
		return
	}
	d.Key(key)
	d.Fields(r.Fields())
}

// Messages writes valid messages as Resources does.
func (d *Document) Messages(key string, all []*mesosv1.Resource) {
	if d.scratch.collectMessages(all) {
		d.amounts(key)
		return
	}
	r, err := resources.New(all)
	if err != nil { // the core takes valid ones only; what cannot be added is not shown
		r = resources.Resources{}
	}
	d.Resources(key, r)
}

// Present is like Resources, without what there is nothing of.
func (d *Document) Present(key string, r resources.Resources) {
	d.Key(key)
	d.Fields(slices.DeleteFunc(r.Fields(), func(f resources.Field) bool { return !f.IsText && f.Number == 0 }))
}

// Quantities writes amounts as numbers.
func (d *Document) Quantities(key string, q resources.Quantities) {
	d.Object(key, func() {
		for name, amount := range q.All() {
			d.Number(name, amount.Float())
		}
	})
}

// Fields writes an object of numbers and texts.
func (d *Document) Fields(fields []resources.Field) {
	d.BeginObject()
	for _, f := range fields {
		d.Key(f.Name)
		if f.IsText {
			d.String(f.Text)
		} else {
			d.Double(f.Number)
		}
	}
	d.EndObject()
}

// amounts writes what was collected.
func (d *Document) amounts(key string) {
	d.Key(key)
	d.BeginObject()
	for _, a := range d.scratch {
		d.Key(a.name)
		if a.isText {
			d.String(a.text)
		} else {
			d.Double(a.sum.Float())
		}
	}
	d.EndObject()
}

// amounts are what is to be written of resources, in the order of the names.
type amounts []amount

type amount struct {
	name   string
	sum    resources.Scalar
	text   string
	isText bool
}

// always are the names that are always written, in order.
var always = [...]string{"cpus", "disk", "gpus", "mem"}

// collect makes amounts of resources, or says that they are not simple: scalars that
// are not revocable, and ranges that are the only ones of their name.
func (a *amounts) collect(r resources.Resources) (simple bool) {
	a.reset()
	for each := range r.All() {
		if each.IsRevocable() || each.IsShared() {
			return false
		}
		switch each.Type() {
		case mesosv1.Value_SCALAR:
			if !a.add(each.Name(), each.Scalar()) {
				return false
			}
		case mesosv1.Value_RANGES:
			if !a.set(each.Name(), func() string { return rangesText(each.Ranges()) }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// collectMessages is collect for valid messages. Their ranges are to be coalesced.
func (a *amounts) collectMessages(all []*mesosv1.Resource) (simple bool) {
	a.reset()
	for _, m := range all {
		if m.Revocable != nil || m.Shared != nil {
			return false
		}
		switch m.GetType() {
		case mesosv1.Value_SCALAR:
			if !a.add(m.GetName(), resources.ScalarOf(m.GetScalar().GetValue())) {
				return false
			}
		case mesosv1.Value_RANGES:
			of := m.GetRanges().GetRange()
			if !coalesced(of) || !a.set(m.GetName(), func() string { return messagesText(of) }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (a *amounts) reset() {
	*a = (*a)[:0]
	for _, name := range always {
		*a = append(*a, amount{name: name})
	}
}

func (a *amounts) find(name string) (int, bool) {
	return slices.BinarySearchFunc(*a, name, func(x amount, name string) int { return strings.Compare(x.name, name) })
}

func (a *amounts) add(name string, sum resources.Scalar) bool {
	i, found := a.find(name)
	if !found {
		*a = slices.Insert(*a, i, amount{name: name})
	}
	(*a)[i].sum = (*a)[i].sum.Add(sum)
	return !(*a)[i].isText
}

func (a *amounts) set(name string, text func() string) bool {
	i, found := a.find(name)
	if !found {
		*a = slices.Insert(*a, i, amount{name: name, text: text(), isText: true})
	}
	return !found
}

// coalesced says whether there are ranges, and they are as resources keeps them.
func coalesced(all []*mesosv1.Value_Range) bool {
	for i := 1; i < len(all); i++ {
		if before := all[i-1].GetEnd(); all[i].GetBegin() <= before || all[i].GetBegin()-before == 1 {
			return false
		}
	}
	return len(all) > 0
}

func rangesText(all []resources.Range) string {
	text := []byte{'['}
	for i, r := range all {
		text = appendRange(text, i, r.Begin, r.End)
	}
	return string(append(text, ']'))
}

func messagesText(all []*mesosv1.Value_Range) string {
	text := make([]byte, 1, 32)
	text[0] = '['
	for i, r := range all {
		text = appendRange(text, i, r.GetBegin(), r.GetEnd())
	}
	return string(append(text, ']'))
}

func appendRange(text []byte, i int, begin, end uint64) []byte {
	if i > 0 {
		text = append(text, ", "...)
	}
	text = strconv.AppendUint(text, begin, 10)
	return strconv.AppendUint(append(text, '-'), end, 10)
}

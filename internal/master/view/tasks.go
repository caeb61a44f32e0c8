package view

import (
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
)

// DefaultTasks is how many tasks /tasks shows if it is not told.
const DefaultTasks = 100

// WriteTasks writes /tasks: the tasks of all frameworks, completed ones too, by the
// time of their first status. The query has limit, offset, order (asc; else
// descending), framework_id and task_id; a limit of -1 is none, and what is no number
// counts as not given.
func WriteTasks(w io.Writer, v *core.View, o Options) error {
	return write(w, o, func(d *document) {
		d.List("tasks", func() {
			for _, t := range page(selectTasks(v, o), o) {
				d.Task(t.task)
			}
		})
	})
}

// dated is a task with what it is sorted by: the time of its first status, and where
// it was found.
type dated struct {
	task  *mesosv1.Task
	first float64
	place int
}

func selectTasks(v *core.View, o Options) []dated {
	framework, id := o.Query.Get("framework_id"), o.Query.Get("task_id")
	var selected []dated
	for _, f := range slices.Concat(v.Frameworks, v.Completed) {
		if framework != "" && framework != f.Info.GetId().GetValue() || !o.Approve.framework(f.Info) {
			continue
		}
		for _, all := range [][]*mesosv1.Task{f.Tasks, f.Unreachable, f.Completed} {
			for _, t := range all {
				if (id == "" || id == t.GetTaskId().GetValue()) && o.Approve.task(t, f.Info) {
					selected = append(selected, dated{t, firstStatus(t), len(selected)})
				}
			}
		}
	}
	ascending := o.Query.Get("order") == "asc"
	slices.SortFunc(selected, func(a, b dated) int {
		if ascending {
			return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.place, b.place))
		}
		return cmp.Or(cmp.Compare(b.first, a.first), cmp.Compare(a.place, b.place))
	})
	return selected
}

// firstStatus is when a task had its first status; one without is before all others.
func firstStatus(t *mesosv1.Task) float64 {
	if len(t.GetStatuses()) == 0 {
		return math.Inf(-1)
	}
	return t.GetStatuses()[0].GetTimestamp()
}

func page(all []dated, o Options) []dated {
	offset := min(number(o.Query.Get("offset"), 0), len(all))
	all = all[offset:]
	return all[:min(number(o.Query.Get("limit"), DefaultTasks), len(all))]
}

// number reads a count; a negative one is without bound.
func number(text string, otherwise int) int {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return otherwise
	case n < 0:
		return math.MaxInt
	default:
		return int(n)
	}
}

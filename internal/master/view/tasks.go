package view

import (
	"cmp"
	"io"
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
		d.list("tasks", func() {
			for _, t := range page(selectTasks(v, o), o) {
				d.task(t)
			}
		})
	})
}

func selectTasks(v *core.View, o Options) []*mesosv1.Task {
	framework, id := o.Query.Get("framework_id"), o.Query.Get("task_id")
	var selected []*mesosv1.Task
	for _, f := range slices.Concat(v.Frameworks, v.Completed) {
		if framework != "" && framework != f.Info.GetId().GetValue() || !o.Approve.framework(f.Info) {
			continue
		}
		for _, all := range [][]*mesosv1.Task{f.Tasks, f.Unreachable, f.Completed} {
			for _, t := range all {
				if (id == "" || id == t.GetTaskId().GetValue()) && o.Approve.task(t, f.Info) {
					selected = append(selected, t)
				}
			}
		}
	}
	slices.SortStableFunc(selected, func(a, b *mesosv1.Task) int {
		if o.Query.Get("order") == "asc" {
			return byFirstStatus(a, b)
		}
		return byFirstStatus(b, a)
	})
	return selected
}

// byFirstStatus puts tasks without a status first.
func byFirstStatus(a, b *mesosv1.Task) int {
	if len(a.GetStatuses()) == 0 || len(b.GetStatuses()) == 0 {
		return cmp.Compare(min(len(a.GetStatuses()), 1), min(len(b.GetStatuses()), 1))
	}
	return cmp.Compare(a.GetStatuses()[0].GetTimestamp(), b.GetStatuses()[0].GetTimestamp())
}

func page(all []*mesosv1.Task, o Options) []*mesosv1.Task {
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
		return int(^uint(0) >> 1)
	default:
		return int(n)
	}
}

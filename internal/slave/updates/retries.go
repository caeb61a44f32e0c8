package updates

import "time"

// retry says when the head of a stream is sent again.
type retry struct {
	stream *stream
	at     time.Time
	index  int
}

// retries is a heap: the earliest first, and of those at the same time the one of the
// task whose name is first.
type retries []*retry

func (r retries) Len() int { return len(r) }

func (r retries) Less(i, j int) bool {
	if !r[i].at.Equal(r[j].at) {
		return r[i].at.Before(r[j].at)
	}
	a, b := r[i].stream.task, r[j].stream.task
	if a.Framework != b.Framework {
		return a.Framework < b.Framework
	}
	return a.Task < b.Task
}

func (r retries) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].index, r[j].index = i, j
}

func (r *retries) Push(x any) {
	one := x.(*retry)
	one.index = len(*r)
	*r = append(*r, one)
}

func (r *retries) Pop() any {
	old := *r
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*r = old[:len(old)-1]
	return last
}

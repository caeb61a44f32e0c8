// Package validate says what is wrong with what a master or an agent is sent: calls
// of the APIs, frameworks, tasks and task groups. Its functions are pure; they keep
// and change nothing, and may be used from any number of goroutines. Messages come
// from anybody: no value of any field makes them panic.
//
// The rules and their order are those of Apache Mesos 1.12, so that of several
// mistakes a client is told the same one first. Where clients are known to look at a
// text, it is the same too.
package validate

import mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"

// Error says why a task is not launched, in the words of its TASK_ERROR.
type Error struct {
	Reason mesosv1.TaskStatus_Reason
	Text   string
}

// Error is the text.
func (e *Error) Error() string { return e.Text }

package execute

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitSignal = 128 // and the signal's number
)

// terminal says whether a state is a task's last.
func terminal(state mesosv1.TaskState) bool {
	switch state {
	case mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskState_TASK_FAILED, mesosv1.TaskState_TASK_KILLED,
		mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_ERROR, mesosv1.TaskState_TASK_DROPPED,
		mesosv1.TaskState_TASK_GONE, mesosv1.TaskState_TASK_GONE_BY_OPERATOR,
		mesosv1.TaskState_TASK_UNKNOWN: // nobody knows it any more: there is nothing to wait for
		return true
	default:
		return false
	}
}

// exitStatus is how the program ends when a task has ended like this. How its command ended stands in the message, in
// Mesos' words.
func exitStatus(status *mesosv1.TaskStatus) int {
	if status.GetState() == mesosv1.TaskState_TASK_FINISHED {
		return exitOK
	}
	if _, text, found := strings.Cut(status.GetMessage(), "exited with status "); found {
		if code, err := strconv.Atoi(firstWord(text)); err == nil && code > 0 && code < 256 {
			return code
		}
		return exitFailed
	}
	if _, text, found := strings.Cut(status.GetMessage(), "terminated with signal "); found {
		text = strings.TrimSuffix(text, " (core dumped)")
		for number := syscall.Signal(1); number < 32; number++ {
			if strings.EqualFold(number.String(), text) {
				return exitSignal + int(number)
			}
		}
	}
	return exitFailed
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

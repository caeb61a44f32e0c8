package executor

import (
	"fmt"
	"strings"
	"syscall"
)

// Ending says in Mesos' words how a command ended: "Command exited with status 0", "Command terminated with signal
// Killed".
func Ending(status syscall.WaitStatus) string {
	switch {
	case status.Exited():
		return fmt.Sprintf("Command exited with status %d", status.ExitStatus())
	case status.Signaled():
		text := "Command terminated with signal " + signalText(status.Signal())
		if status.CoreDump() {
			text += " (core dumped)"
		}
		return text
	default:
		return fmt.Sprintf("Command has status %#x", uint32(status))
	}
}

// signalText is the text of strsignal, which but for its first letter is that of Go.
func signalText(s syscall.Signal) string {
	text := s.String()
	return strings.ToUpper(text[:1]) + text[1:]
}

package trial

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

const (
	maxMessage = 600  // bytes of a library's output in a message
	maxText    = 8192 // bytes of an error's text
)

const (
	// closed is said of a library that has closed or replaced what is not its own.
	closed = "closed the descriptors of the trial process"

	// withoutPoller begins the last words of Go's runtime when the descriptors that
	// it waits with are gone.
	withoutPoller = "fatal error: runtime: netpoll"
)

// judge finds the library that took the child along, if one did, and returns how
// many verdicts are known.
func (s *session) judge(why reason, state *os.ProcessState) (int, error) {
	if s.spent || s.next == len(s.requests) {
		return s.next, nil
	}
	guilty, when := s.next, " while it was opened"
	if why == late {
		when = ""
	}
	if !s.opening {
		// It ended between two libraries: the last one has left something behind.
		guilty, when = s.next-1, " just after it was opened"
	}
	if guilty < 0 {
		return 0, fmt.Errorf("the child process %s before it opened anything; main has to begin with trial.Main%s",
			s.fate(why, state), quote(s.printed()))
	}
	s.verdicts[guilty] = Verdict{Err: &vehicle.Refusal{
		Rule:    finding.LibraryOpens,
		Problem: fmt.Sprintf("the library %s%s%s", s.blame(guilty, why, state), when, quote(s.printed())),
		Mend:    mend(why),
	}}
	return guilty + 1, nil
}

func mend(why reason) string {
	if why == late {
		return mendOpens + ", or raise --module_open_limit if it is only slow"
	}
	return mendOpens
}

func (s *session) blame(guilty int, why reason, state *os.ProcessState) string {
	switch why {
	case late:
		return fmt.Sprintf("was not open after %v", s.requests[guilty].limit())
	case disturbed:
		return "disturbed the reports of the trial process"
	case ended, finished:
		if state.ExitCode() == exitNoReport || strings.Contains(s.printed(), withoutPoller) {
			return closed
		}
		return "ended the trial process with " + s.fate(why, state)
	default:
		return fmt.Sprintf("failed its trial (reason %d)", why)
	}
}

// fate says how the child ended.
func (s *session) fate(why reason, state *os.ProcessState) string {
	if why == late {
		return fmt.Sprintf("said nothing for %v", startLimit)
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return fmt.Sprintf("%s (%v)", cmp.Or(unix.SignalName(status.Signal()), "a signal"), status.Signal())
	}
	return fmt.Sprintf("exit status %d", state.ExitCode())
}

// quote picks what matters out of what a library has printed: the head of Go's own
// message when it gave up, or the end.
func quote(printed string) string {
	text := printed
	if at := lastLine(text, "panic: ", "fatal error: "); at >= 0 {
		text, _, _ = strings.Cut(text[at:], "\n\n")
		text = text[:min(len(text), maxMessage)]
	} else {
		text = text[max(0, len(text)-maxMessage):]
	}
	if text = oneLine(text); text == "" {
		return ""
	}
	return "; it said: " + text
}

// oneLine keeps a terminal and a log safe from what a library prints.
func oneLine(s string) string {
	lines := strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, line))
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), " | ")
}

// lastLine returns where the last line with one of these beginnings starts, or -1.
func lastLine(text string, beginnings ...string) int {
	at := -1
	for _, b := range beginnings {
		if strings.HasPrefix(text, b) {
			at = max(at, 0)
		}
		if i := strings.LastIndex(text, "\n"+b); i >= 0 {
			at = max(at, i+1)
		}
	}
	return at
}

func bounded(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD")
}

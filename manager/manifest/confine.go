package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/nearest"
)

// The keys of what is said of processes, in the order in which error texts list them.
var (
	processKeys = []string{"memory", "cpus", "open_files", "user", "no_new_privileges", "seccomp", "read_only", "read_write",
		"environment", "heartbeat", "restart"}
	restartKeys = []string{"limit", "within", "backoff", "longest"}
)

// Bounds of what is said of processes.
const (
	MaxPaths     = 10_000 // in one manifest
	MaxVariables = 10_000 // in one manifest
	MaxCPUs      = 100_000
	MaxRestarts  = 1_000_000
	// MinHeartbeat is the shortest silence that can tell a process that hangs from a busy machine.
	MinHeartbeat = 100 * time.Millisecond
)

// isolation reads where a library runs.
func (r *reader) isolation(path string) Isolation {
	f, ok := r.like(path, `"none" or "process"`)
	switch text := Isolation(f.text); {
	case !ok, text == IsolationNone, text == IsolationProcess:
		return text
	default:
		r.report(f.at, "%s: %s is neither \"none\" nor \"process\"%s", path, quote(f.text), likely(f.text, "none", "process"))
		return IsolationUnsaid
	}
}

// onFailure reads what follows when a module's process cannot be started again.
func (r *reader) onFailure(path string) OnFailure {
	f, ok := r.like(path, `"required", "optional" or "fallback: MODULE"`)
	if !ok {
		return OnFailure{}
	}
	word, module, named := strings.Cut(f.text, ":")
	module = strings.TrimSpace(module)
	switch policy := Policy(word); {
	case policy == PolicyFallback && module == "":
		r.report(f.at, `%s: names no module; write "fallback: MODULE"`, path)
	case policy == PolicyFallback && strings.ContainsFunc(module, notInName):
		r.report(f.at, "%s: %s is no module name; take the white space out", path, quote(module))
	case policy == PolicyFallback:
		return OnFailure{Policy: policy, Fallback: module}
	case !named && (policy == PolicyRequired || policy == PolicyOptional):
		return OnFailure{Policy: policy}
	default:
		r.report(f.at, "%s: %s is none of \"required\", \"optional\" and \"fallback: MODULE\"%s", path, quote(f.text),
			likely(word, string(PolicyRequired), string(PolicyOptional), string(PolicyFallback)))
	}
	return OnFailure{}
}

// like reads a string, or null for none; of another type the error says what is wanted. Only where ok is true, text is
// to be judged.
func (r *reader) like(path, want string) (f field, ok bool) {
	f = r.stringOr(path)
	if f.wrong != nil {
		r.report(f.at, "%s: no string; want %s", path, want)
	}
	return f, f.given && f.wrong == nil
}

// likely proposes the word that was probably meant.
func likely(word string, known ...string) string {
	if near := nearest.Name(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// process reads what the process of a library may do.
func (r *reader) process(path string) Process {
	var p Process
	at, ok := r.opened(path, `{"memory": "256MB"}`)
	if !ok {
		return p
	}
	p.At = at
	r.object(path, processKeys, func(key, path string) {
		switch key {
		case "memory":
			p.Memory = r.memory(path)
		case "cpus":
			p.CPUs = r.cpus(path)
		case "open_files":
			p.OpenFiles, _ = r.whole(path, 1, math.MaxInt32)
		case "user":
			p.User = r.user(path)
		case "no_new_privileges":
			p.NoNewPrivileges = r.boolean(path)
		case "seccomp":
			f, ok := r.like(path, "the name of a set of system calls")
			if ok && f.text == "" {
				r.report(f.at, "%s: empty; write the name of a set of system calls", path)
			}
			p.Seccomp = f.text
		case "read_only":
			p.ReadOnly = r.folders(path, p.ReadWrite)
		case "read_write":
			p.ReadWrite = r.folders(path, p.ReadOnly)
		case "environment":
			p.Environment = r.environment(path)
		case "heartbeat":
			p.Heartbeat = r.duration(path, MinHeartbeat)
		case "restart":
			p.Restart = r.restart(path)
		}
	})
	return p
}

func (r *reader) restart(path string) Restart {
	var s Restart
	at, ok := r.opened(path, `{"limit": 5, "within": "1mins"}`)
	if !ok {
		return s
	}
	r.object(path, restartKeys, func(key, path string) {
		switch key {
		case "limit":
			limit, given := r.whole(path, 0, MaxRestarts)
			if s.Limit = int(limit); given && limit == 0 {
				s.Limit = Never
			}
		case "within":
			s.Within = r.duration(path, 0)
		case "backoff":
			s.Backoff = r.duration(path, 0)
		case "longest":
			s.Longest = r.duration(path, 0)
		}
	})
	if s.Longest != 0 && s.Longest < s.Backoff {
		r.report(at, `%s: the longest wait is shorter than the first; make "longest" at least %q`, path, stout.ExactDuration(s.Backoff))
	}
	return s
}

// opened reads the brace of an object like the example, or null for none.
func (r *reader) opened(path, example string) (at Position, ok bool) {
	t, ok := r.next()
	if !ok || t.value == nil {
		return at, false
	}
	at = r.text.at(t.start)
	if t.value != json.Delim('{') {
		r.report(at, "%s: %s, want an object like %s", path, t.kind(), example)
		r.skipRest(t)
		return at, false
	}
	return at, true
}

func (r *reader) memory(path string) int64 {
	f, ok := r.like(path, `a size like "256MB"`)
	if !ok {
		return 0
	}
	size, err := stout.ParseBytes(f.text)
	switch {
	case err == nil && size == 0:
		err = errors.New("no memory at all; leave it out for no limit")
	case err == nil && size > math.MaxInt64:
		err = errors.New("more than any machine has; leave it out for no limit")
	}
	if err != nil {
		r.report(f.at, "%s: %s: %v", path, quote(f.text), err)
		return 0
	}
	return int64(size)
}

func (r *reader) cpus(path string) float64 {
	text, at, ok := r.number(path, "0.5")
	if !ok {
		return 0
	}
	cpus, err := strconv.ParseFloat(text, 64)
	if err != nil || cpus <= 0 || cpus > MaxCPUs {
		r.report(at, "%s: %s: want processors' worth of time, more than 0 and at most %d, like 0.5", path, quote(text), MaxCPUs)
		return 0
	}
	return cpus
}

// whole reads a whole number within bounds.
func (r *reader) whole(path string, least, most uint64) (n uint64, given bool) {
	text, at, ok := r.number(path, strconv.FormatUint(max(least, 5), 10))
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		r.report(at, "%s: %s: want a whole number from %d to %d", path, quote(text), least, most)
		return 0, false
	}
	return n, true
}

// number reads a number as it is written, or null for none.
func (r *reader) number(path, example string) (text string, at Position, ok bool) {
	t, ok := r.next()
	if !ok || t.value == nil {
		return "", at, false
	}
	at = r.text.at(t.start)
	n, ok := t.value.(json.Number)
	if !ok {
		r.report(at, "%s: %s, want a number; write %s", path, t.kind(), example)
		r.skipRest(t)
		return "", at, false
	}
	return n.String(), at, true
}

func (r *reader) boolean(path string) bool {
	t, ok := r.next()
	if !ok || t.value == nil {
		return false
	}
	b, ok := t.value.(bool)
	if !ok {
		r.report(r.text.at(t.start), "%s: %s, want true or false", path, t.kind())
		r.skipRest(t)
	}
	return b
}

func (r *reader) duration(path string, least time.Duration) time.Duration {
	f, ok := r.like(path, `a time like "10secs"`)
	if !ok {
		return 0
	}
	d, err := parseLimit(f.text)
	if err == nil && d < least {
		err = fmt.Errorf("shorter than %s", stout.ExactDuration(least))
	}
	if err != nil {
		r.report(f.at, "%s: %s: %v", path, quote(f.text), err)
		return 0
	}
	return d
}

// user reads who a process runs as: "nobody", "65534", "nobody:nogroup".
func (r *reader) user(path string) string {
	f, ok := r.like(path, `a user like "nobody", or "nobody:nogroup"`)
	if !ok {
		return ""
	}
	user, group, both := strings.Cut(f.text, ":")
	if user == "" || both && group == "" || strings.ContainsFunc(f.text, notInName) || strings.Contains(group, ":") {
		r.report(f.at, "%s: %s: want a user, or user:group", path, quote(f.text))
		return ""
	}
	return f.text
}

// folders reads one path or several. others are those of the other list.
func (r *reader) folders(path string, others []string) (all []string) {
	r.strings(path, func(f field, path string) {
		switch {
		case !filepath.IsAbs(f.text):
			r.report(f.at, "%s: %s: want an absolute path", path, quote(f.text))
		case slices.Contains(others, f.text):
			r.report(f.at, "%s: %s stands in the other list too; name it in one of \"read_only\" and \"read_write\"", path, quote(f.text))
		case r.count(&r.paths, MaxPaths, "paths", f.at):
			all = append(all, f.text)
		}
	})
	return all
}

// strings reads an array of strings, one string in place of an array of one, or null for none.
func (r *reader) strings(path string, item func(f field, path string)) {
	t, ok := r.next()
	if !ok || t.value == nil {
		return
	}
	if t.value != json.Delim('[') {
		if f := r.stringIn(t, path); f.wrong == nil {
			item(f, path)
		} else {
			r.report(f.at, "%s: %s, want an array of strings, or one string", path, t.kind())
		}
		return
	}
	for i := 0; r.inside(); i++ {
		element := fmt.Sprintf("%s[%d]", path, i)
		t, ok := r.next()
		if !ok {
			return
		}
		if f := r.stringIn(t, element); f.wrong == nil {
			item(f, element)
		} else {
			f.wrong(false)
		}
	}
	r.next() // the closing bracket
}

// environment reads the variables of a process in the order of the text.
func (r *reader) environment(path string) (all []Variable) {
	if _, ok := r.opened(path, `{"NAME": "value"}`); !ok {
		return nil
	}
	seen := map[string]bool{}
	for r.inside() {
		t, ok := r.next()
		if !ok {
			return all
		}
		name, _ := t.value.(string) // the decoder lets nothing else pass
		at := r.text.at(t.start)
		switch {
		case seen[name]:
			r.report(at, "%s: the variable %s stands here twice; one of them must go", path, quote(name))
		case name == "" || strings.ContainsFunc(name, notInVariable) || faultOf(t.raw, name) != "":
			r.report(at, "%s: %s is no name of a variable", path, quote(name))
		case !r.count(&r.variables, MaxVariables, "variables", at):
			return all
		}
		seen[name] = true
		value := r.stringOr(below(path, quote(name)))
		if value.wrong != nil {
			value.wrong(LooksSecret(name))
		}
		all = append(all, Variable{Name: name, Value: value.text})
	}
	r.next() // the closing brace
	return all
}

func notInVariable(c rune) bool {
	return c == '=' || unicode.IsSpace(c) || unicode.IsControl(c) || c == unicode.ReplacementChar
}

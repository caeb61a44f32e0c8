package moduletest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// eventually ends the check unless done is true in time. It looks again and again:
// processes tell nobody what they have done.
func (b *bench) eventually(what string, done func() bool) {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(b.o.patience); !done(); <-tick.C {
		if time.Now().After(limit) {
			b.Fatalf("not within %v: %s", b.o.patience, what)
		}
	}
}

// alive says whether a process runs; one that has ended and was not waited for does not.
func alive(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	state := text[bytes.LastIndexByte(text, ')')+1:]
	return !bytes.HasPrefix(state, []byte(" Z"))
}

// read returns what a container wrote to a file in its directory, exists says whether it
// wrote a whole line, and number reads that.
func (r *run) read(name string) string {
	text, err := os.ReadFile(filepath.Join(r.config.GetDirectory(), name))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (r *run) exists(name string) bool { return strings.HasSuffix(r.read(name), "\n") }

func (r *run) number(name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(r.read(name)))
	if err != nil {
		fail(r.b, "the container wrote no number to %s: %v", name, err)
	}
	return n
}

package rotate

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"
)

// reporter says what happens to whoever started the program, as long as he listens. It
// never waits, and says not much more than a line a second: what goes wrong goes wrong
// with every write.
type reporter struct {
	mu    sync.Mutex
	last  map[string]time.Time // when what was said
	bytes int64                // that were lost, and not told
	why   error
}

func (r *reporter) fault(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.due(Fault) {
		say(Fault + " " + err.Error())
	}
}

func (r *reporter) lost(n int64, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes += n
	r.why = why
	if r.due(Lost) {
		r.tell()
	}
}

// flush tells what was kept back.
func (r *reporter) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell()
}

func (r *reporter) tell() {
	if r.bytes > 0 {
		say(fmt.Sprintf("%s %d %v", Lost, r.bytes, r.why))
	}
	r.bytes = 0
}

func (r *reporter) due(kind string) bool {
	if r.last == nil {
		r.last = map[string]time.Time{}
	}
	if now := time.Now(); now.Sub(r.last[kind]) >= time.Second {
		r.last[kind] = now
		return true
	}
	return false
}

func say(line string) {
	line = strings.ReplaceAll(strings.TrimSpace(line), "\n", "; ")
	_, _ = syscall.Write(Reports, []byte(line+"\n")) // nobody may be there, or busy
}

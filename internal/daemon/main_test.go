package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/roles"
)

func TestMain(m *testing.M) {
	if daemon.Child() {
		return
	}
	// The first subscription to signals starts a goroutine that never ends.
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
	goleak.VerifyTestMain(m)
}

// options are those of a daemon with builtin modules that listens on a free port.
func options(builtin []facade.Declared, args ...string) daemon.Options {
	return daemon.Options{
		Daemon: roles.Slave, Version: facade.MesosVersion,
		Builtin: []facade.Library{{Modules: builtin}},
		Args:    append([]string{"--ip=127.0.0.1", "--port=0"}, args...),
		Stdout:  io.Discard, Stderr: io.Discard,
	}
}

// outcome is what came of a daemon that has ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// ended runs a daemon that ends by itself.
func ended(t *testing.T, o daemon.Options) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	o.Stdout, o.Stderr = &stdout, &stderr
	code := daemon.Run(t.Context(), o)
	return outcome{code, stdout.String(), stderr.String()}
}

// running is a daemon in this process that has started.
type running struct {
	t       *testing.T
	url     string
	signals chan os.Signal
	lines   *lines
	code    chan int
}

// start runs a daemon until it answers. It is stopped with the test at the latest.
func start(t *testing.T, o daemon.Options) *running {
	t.Helper()
	r := begin(t, o)
	r.url = strings.TrimSpace(r.await(": answers at "))
	return r
}

// begin runs a daemon without waiting for anything.
func begin(t *testing.T, o daemon.Options) *running {
	t.Helper()
	reader, writer := io.Pipe()
	r := &running{t: t, signals: make(chan os.Signal, 2), lines: newLines(reader), code: make(chan int, 1)}
	o.Stderr, o.Signals = writer, r.signals
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		code := daemon.Run(ctx, o)
		_ = writer.Close()
		r.code <- code
	}()
	t.Cleanup(func() {
		cancel()
		<-r.lines.done
	})
	return r
}

// await returns what follows text in the first line that has it, past or to come.
func (r *running) await(text string) string {
	r.t.Helper()
	rest, ok := r.lines.await(text)
	require.True(r.t, ok, "the daemon ended without saying %q; it said:\n%s", text, r.lines.all())
	return rest
}

// stop sends a signal and returns what came of the daemon.
func (r *running) stop(s os.Signal) outcome {
	r.t.Helper()
	r.signals <- s
	return r.wait()
}

func (r *running) wait() outcome {
	<-r.lines.done
	return outcome{code: <-r.code, stderr: r.lines.all()}
}

// get returns the body of an answer.
func (r *running) get(path string) string {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(r.url + path)
	require.NoError(r.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(r.t, err)
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		return compact.String()
	}
	return string(body)
}

// lines keeps what is read, and lets tests wait for it.
type lines struct {
	done chan struct{} // closed at the end

	mu    sync.Mutex
	text  []string
	ended bool
	more  *sync.Cond
}

func newLines(from io.Reader) *lines {
	l := &lines{done: make(chan struct{})}
	l.more = sync.NewCond(&l.mu)
	go func() {
		defer close(l.done)
		for scanner := bufio.NewScanner(from); scanner.Scan(); {
			l.add(scanner.Text(), false)
		}
		l.add("", true)
	}()
	return l
}

func (l *lines) add(line string, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended = last; !last {
		l.text = append(l.text, line)
	}
	l.more.Broadcast()
}

func (l *lines) await(text string) (rest string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seen := 0; ; seen++ {
		for seen == len(l.text) {
			if l.ended {
				return "", false
			}
			l.more.Wait()
		}
		if _, rest, ok := strings.Cut(l.text[seen], text); ok {
			return rest, true
		}
	}
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "\n")
}

// A daemon's whole life: it starts with a builtin module, is asked, and stops.
func Example() {
	signals := make(chan os.Signal, 1)
	reader, writer := io.Pipe()
	go func() { // stops the daemon as soon as it answers
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			if strings.Contains(scanner.Text(), "answers at") {
				signals <- syscall.SIGTERM
			}
		}
	}()
	code := daemon.Run(context.Background(), daemon.Options{
		Daemon: roles.Master, Version: "1.12.0", Builtin: daemon.Builtin(),
		Args:   []string{"--ip=127.0.0.1", "--port=0", "--calculator=org_apache_mesos_ExampleCalculator"},
		Stdout: io.Discard, Stderr: writer, Signals: signals,
	})
	_ = writer.Close()
	fmt.Println(code)
	// Output: 0
}

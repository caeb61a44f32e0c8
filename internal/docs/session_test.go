package docs_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// shell is the folder in which the sessions of one page are run.
type shell struct {
	site
	t       *testing.T
	dir     string
	status  int
	daemons map[string]*daemon // by the port that readers see
	running []*daemon          // in the order in which they were started
}

// command is one command of a session with the output that stands below it.
type command struct {
	line int // of its output's first line, counted from 0
	text string
	want []string
}

const (
	interrupt = "^C"
	askStatus = "echo $?"
)

// commands takes a session apart.
func commands(t *testing.T, b *block) (all []*command) {
	lines := b.page.lines[b.first:b.last]
	for i := 0; i < len(lines); i++ {
		text, isCommand := strings.CutPrefix(lines[i], "$ ")
		if !isCommand && lines[i] != interrupt {
			require.NotEmpty(t, all, "%s:%d: a session begins with a command", b.page.path, b.first+1)
			c := all[len(all)-1]
			c.want = append(c.want, lines[i])
			continue
		}
		if !isCommand {
			text = interrupt
		}
		for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
			i++
			text = strings.TrimSuffix(text, `\`) + strings.TrimSpace(lines[i])
		}
		all = append(all, &command{line: b.first + i + 1, text: text})
	}
	return all
}

var (
	daemonLine = regexp.MustCompile(`^bin/mesos-(master|slave)( |$)`)
	endsItself = regexp.MustCompile(`--(verify-only|verify_only|help|version)\b`)
	curlLine   = regexp.MustCompile(`^curl (?:-\S+ )*'?http://localhost:(\d+)([^' |]*)'?(?: \| head -n? ?(\d+))?$`)
)

// run runs one command and returns what it printed.
func (s *shell) run(c string) string {
	switch {
	case c == interrupt:
		require.NotEmpty(s.t, s.running, "there is no daemon to stop")
		last := s.running[len(s.running)-1]
		s.running = s.running[:len(s.running)-1]
		out := last.stop(s.t)
		s.status = last.status()
		return out
	case c == askStatus:
		said := strconv.Itoa(s.status) + "\n"
		s.status = 0
		return said
	case daemonLine.MatchString(c) && !endsItself.MatchString(c):
		return s.start(c)
	case strings.HasPrefix(c, "curl "):
		return s.get(c)
	default:
		cmd := s.bash(c)
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			require.NoError(s.t, err, c)
		}
		s.status = cmd.ProcessState.ExitCode()
		return string(out)
	}
}

func (s *shell) bash(c string) *exec.Cmd {
	for port, d := range s.daemons {
		c = strings.ReplaceAll(c, "localhost:"+port, d.address)
	}
	cmd := exec.Command("bash", "-c", c)
	cmd.Dir = s.dir
	cmd.Env = append(environment(), "PWD="+s.dir, "NO_COLOR=1", "MESOS_IP=127.0.0.1", "MESOS_PORT=0")
	return cmd
}

// environment is that of the test without what would change the answers of programs.
func environment() []string {
	all := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MESOS_") || strings.HasPrefix(v, "LD_LIBRARY_PATH=") || strings.HasPrefix(v, "GOWORK=")
	})
	return append(all, "GOFLAGS=-buildvcs=false")
}

// daemon is one that a session has started.
type daemon struct {
	cmd     *exec.Cmd
	out     *bufio.Reader
	pipe    *os.File
	address string // real
	shown   string
}

// start starts a daemon and returns what it prints until it answers, or all that
// it prints if it ends before.
func (s *shell) start(c string) string {
	reader, writer, err := os.Pipe()
	require.NoError(s.t, err)
	d := &daemon{cmd: s.bash("exec " + c), out: bufio.NewReader(reader), pipe: reader}
	d.cmd.Stdout, d.cmd.Stderr = writer, writer
	require.NoError(s.t, d.cmd.Start())
	require.NoError(s.t, writer.Close())
	s.t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // one that has ended is not there any more
		_ = d.cmd.Wait()
		_ = reader.Close()
	})
	port := "5050"
	if strings.HasPrefix(c, "bin/mesos-slave") {
		port = "5051"
	}
	var all strings.Builder
	for {
		line, err := d.out.ReadString('\n')
		all.WriteString(line)
		if _, address, ok := strings.Cut(line, ": answers at http://"); ok {
			d.address, d.shown = strings.TrimSpace(address), "localhost:"+port
			s.daemons[port], s.running = d, append(s.running, d)
			return strings.ReplaceAll(all.String(), d.address, d.shown)
		}
		if err != nil {
			_ = d.cmd.Wait()
			s.status = d.status()
			return all.String()
		}
	}
}

func (d *daemon) status() int { return d.cmd.ProcessState.ExitCode() }

func (d *daemon) stop(t *testing.T) string {
	require.NoError(t, d.cmd.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(d.out)
	require.NoError(t, err)
	_ = d.cmd.Wait() // the status says it
	return strings.TrimPrefix(string(rest), "\n")
}

// get is curl, so that a machine without it can run the tests.
func (s *shell) get(c string) string {
	m := curlLine.FindStringSubmatch(c)
	require.NotNil(s.t, m, "%s: want curl [-s] http://localhost:PORT/... [| head -N]", c)
	d := s.daemons[m[1]]
	require.NotNil(s.t, d, "%s: no daemon answers there", c)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + d.address + m[2])
	if err != nil { // the daemon has ended in the call
		s.status = 52
		return "curl: (52) Empty reply from server\n"
	}
	defer answer.Body.Close()
	s.status = 0
	var body bytes.Buffer
	if m[3] == "" {
		_, err := io.Copy(&body, answer.Body)
		require.NoError(s.t, err)
	} else {
		n, err := strconv.Atoi(m[3])
		require.NoError(s.t, err)
		lines := bufio.NewReader(answer.Body)
		for range n {
			line, err := lines.ReadString('\n')
			body.WriteString(line)
			if err != nil {
				break
			}
		}
	}
	return strings.ReplaceAll(body.String(), d.address, d.shown)
}

// shown is output as readers see it: the folder of the session, where bin is, has
// another name, and tables stay straight.
func (s *shell) shown(out string) string {
	lines := strings.Split(out, "\n")
	for first := 0; first < len(lines); first++ {
		last := first
		for last < len(lines) && lines[last] != "" {
			last++
		}
		straighten(lines[first:last], s.dir)
		first = last
	}
	out = strings.Join(lines, "\n")
	for _, real := range []string{s.dir, s.home, s.root} {
		out = strings.ReplaceAll(out, real, shownHome)
	}
	return out
}

const shownHome = "/home/ann/mms"

// straighten renames a folder in the lines of a table: the cells of its column that
// do not hold it, the heading for one, get as many spaces less.
func straighten(table []string, folder string) {
	column, less := -1, strings.Repeat(" ", max(0, len(folder)-len(shownHome)))
	for _, line := range table {
		if at := strings.Index(line, folder); column < 0 && at == 0 || at > 1 && line[at-2:at] == "  " {
			column = at
		}
	}
	for i, line := range table {
		if column < 0 || strings.Contains(line, folder) || len(line) < column {
			continue
		}
		if at := strings.Index(line[column:], less+"  "); at >= 0 {
			table[i] = line[:column+at] + line[column+at+len(less):]
		}
	}
}

// normal takes out of a line what differs between runs and machines.
func normal(line string) string {
	for _, n := range []struct {
		what *regexp.Regexp
		is   string
	}{
		{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
		{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s)\b`), "SPAN"},
		{regexp.MustCompile(`"(time_ns|duration_ns|limit_ns)": ?\d+`), `"$1": N`},
		{regexp.MustCompile(`\(cached\)`), "SPAN"},
		{regexp.MustCompile(`\b\d+ (other modules|modules|handles|instances|needed|closed)\b`), "N $1"}, // whatever ships
		{regexp.MustCompile(`^ +\d+\. (org_)`), "N. $1"},
		{regexp.MustCompile(`go1\.\d+(\.\d+)?`), "go1"},
		{regexp.MustCompile(`GCC [0-9.]+( \([^)]*\))?`), "GCC"},
		{regexp.MustCompile(`goroutine \d+`), "goroutine"},
		{regexp.MustCompile(`0x[0-9a-f]+`), "ADDRESS"},
		{regexp.MustCompile(`\bpid \d+`), "pid N"},
		{regexp.MustCompile(`\s+`), " "},
	} {
		line = n.what.ReplaceAllString(line, n.is)
	}
	return strings.TrimSpace(line)
}

const anyLines = "..."

// matches compares output with what stands in the page.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == anyLines {
		for i := range len(got) + 1 {
			if matches(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && normal(want[0]) == normal(got[0]) && matches(want[1:], got[1:])
}

// reminder is a line that may come anywhere: what a daemon on a busy machine writes,
// and its log, which has a time of its own.
var reminder = regexp.MustCompile(`^[a-z]+ +still |^time=\S+ level=`)

func linesOf(out string) []string {
	out = strings.TrimRight(out, "\n ")
	if out == "" {
		return nil
	}
	lines := slices.DeleteFunc(strings.Split(out, "\n"), reminder.MatchString)
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

package thirdparty_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

// debian is where Debian keeps the sources of Go libraries.
const debian = "/usr/share/gocode"

// programs are the folders that TestMain fills: the daemons, and the clients.
var programs struct{ daemons, clients string }

func TestMain(m *testing.M) {
	code, err := build(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func build(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "thirdparty")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs.daemons, programs.clients = filepath.Join(dir, "bin"), filepath.Join(dir, "clients")
	if err := cluster.Build(context.Background(), "../..", programs.daemons); err != nil {
		return 0, err
	}
	for _, name := range []string{"scheduler", "executor", "operator"} {
		if err := buildClient(name); err != nil {
			return 0, err
		}
	}
	return m.Run(), nil
}

// buildClient builds a program with the library that is installed, and nothing else.
func buildClient(name string) error {
	if _, err := os.Stat(filepath.Join(debian, "src/github.com/mesos/mesos-go/api/v1")); err != nil {
		return fmt.Errorf("mesos-go is not installed; on Debian 12: apt-get install golang-github-mesos-mesos-go-dev: %w", err)
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(programs.clients, name), ".")
	cmd.Dir = filepath.Join("testdata", "src", name)
	cmd.Env = append(os.Environ(), "GO111MODULE=off", "GOPATH="+debian, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the client %s: %w\n%s", name, err, out)
	}
	return nil
}

func up(t *testing.T) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Up(context.WithoutCancel(t.Context()), cluster.Config{Bin: programs.daemons, Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Down()) })
	return c
}

// scheduler runs the framework to its end and returns what it has said, sorted by
// task: of several tasks any may be first.
func scheduler(t *testing.T, c *cluster.Cluster, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs.clients, "scheduler"), append([]string{"-master=" + c.Master.Address}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	require.NoError(t, err, "%s\nmaster:\n%s\nslave:\n%s", out.String(), c.Master.Log(), c.Slave.Log())
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(taskOf(a), taskOf(b)) })
	return lines
}

var task = regexp.MustCompile(`task-\d+`)

func taskOf(line string) string { return task.FindString(line) }

func TestScheduler(t *testing.T) {
	c := up(t)
	for _, codec := range []string{"protobuf", "json"} {
		for _, role := range []string{"*", "eng/web"} {
			t.Run(fmt.Sprintf("runs commands over %s for role %s", codec, role), func(t *testing.T) {
				said := scheduler(t, c, "-codec="+codec, "-role="+role, "-tasks=2", "-command=exit 0")
				assert.Equal(t, []string{
					"SUBSCRIBED true 15",
					"UPDATE task-1 TASK_STARTING ", "UPDATE task-1 TASK_RUNNING ", "UPDATE task-1 TASK_FINISHED Command exited with status 0",
					"UPDATE task-2 TASK_STARTING ", "UPDATE task-2 TASK_RUNNING ", "UPDATE task-2 TASK_FINISHED Command exited with status 0",
				}, said)
			})
		}
	}
}

func TestExecutor(t *testing.T) {
	c := up(t)
	said := scheduler(t, c, "-codec=json", "-tasks=2", "-executor="+filepath.Join(programs.clients, "executor"), "-command=payload")
	said = slices.DeleteFunc(said, func(line string) bool { return strings.HasPrefix(line, "MESSAGE") }) // the last may come too late
	assert.Equal(t, []string{
		"SUBSCRIBED true 15",
		"UPDATE task-1 TASK_RUNNING ", "UPDATE task-1 TASK_FINISHED ",
		"UPDATE task-2 TASK_RUNNING ", "UPDATE task-2 TASK_FINISHED ",
	}, said)
}

func TestTasksOutliveTheSlave(t *testing.T) {
	c := up(t)
	// Whoever opens a fifo waits for the other side: the task tells that it runs, and
	// is told to go on.
	running, goOn := filepath.Join(t.TempDir(), "running"), filepath.Join(t.TempDir(), "go-on")
	require.NoError(t, syscall.Mkfifo(running, 0o600))
	require.NoError(t, syscall.Mkfifo(goOn, 0o600))
	ran := make(chan []string, 1)
	go func() {
		ran <- scheduler(t, c, "-failover=1h", "-tasks=1", "-command=echo > '"+running+"'; read x < '"+goOn+"'")
	}()
	_, err := os.ReadFile(running)
	require.NoError(t, err)
	require.NoError(t, c.Slave.Kill())
	require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
	require.NoError(t, os.WriteFile(goOn, []byte("\n"), 0o600))
	// An update that was not acknowledged when the slave was killed comes again.
	assert.Equal(t, []string{"SUBSCRIBED true 15", "UPDATE task-1 TASK_STARTING ", "UPDATE task-1 TASK_RUNNING ",
		"UPDATE task-1 TASK_FINISHED Command exited with status 0"}, slices.Compact(<-ran))
}

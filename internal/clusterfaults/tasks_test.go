package clusterfaults_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// withAmount changes the first resource of a task, its cpus.
func withAmount(info *mesosv1.TaskInfo, amount float64) *mesosv1.TaskInfo {
	info.Resources[0].Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(amount)}
	return info
}

// zeros makes nothing of all resources of a task.
func zeros(info *mesosv1.TaskInfo) *mesosv1.TaskInfo {
	for _, r := range info.Resources {
		r.Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(0)}
	}
	return info
}

func TestTasks(t *testing.T) {
	t.Parallel()
	c, dir := up(t, nil, nil)
	f := join(t, c)
	for name, info := range map[string]*mesosv1.TaskInfo{
		"no resources":            {Name: proto.String("x"), TaskId: &mesosv1.TaskID{Value: proto.String("airy")}, Command: shell("x", "exit 0").Command},
		"cpus below zero":         withAmount(shell("negative", "exit 0"), -1),
		"cpus that are no number": withAmount(shell("nan", "exit 0"), math.NaN()),
		"endless cpus":            withAmount(shell("infinity", "exit 0"), math.Inf(1)),
		"more than is offered":    withAmount(shell("greedy", "exit 0"), 1000),
		"an id that is a path":    shell("../../escape", "exit 0"),
		"an id with a slash":      shell("a/b", "exit 0"),
		"the id ..":               shell("..", "exit 0"),
		"an id with a zero":       shell("a\x00b", "exit 0"),
		"a very long id":          shell(strings.Repeat("a", 300), "exit 0"),
		"no command":              {Name: proto.String("x"), TaskId: &mesosv1.TaskID{Value: proto.String("idle")}, Resources: shell("x", "").Resources},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			f.launch(info, func(point, string) {})
			end := f.ends(t, info.GetTaskId().GetValue())
			assert.Equal(t, mesosv1.TaskState_TASK_ERROR, end.GetState(), end.GetMessage())
			assert.NotEmpty(t, end.GetMessage())
		})
	}
	t.Run("resources of zero are as good as none, and no error", func(t *testing.T) {
		f.launch(zeros(shell("zero", "exit 0")), func(point, string) {})
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, f.ends(t, "zero").GetState())
	})
	t.Run("the id of another is an error, and the other goes on", func(t *testing.T) {
		f.launch(shell("twice", "sleep 0.5"), func(point, string) {})
		f.launch(shell("twice", "exit 1"), func(point, string) {})
		eventually(t, func() string {
			f.mu.Lock()
			defer f.mu.Unlock()
			var states []mesosv1.TaskState
			for _, s := range f.seen {
				if s.GetTaskId().GetValue() == "twice" && (len(s.GetUuid()) > 0 || s.GetState() == mesosv1.TaskState_TASK_ERROR) {
					states = append(states, s.GetState())
				}
			}
			for _, want := range []mesosv1.TaskState{mesosv1.TaskState_TASK_ERROR, mesosv1.TaskState_TASK_RUNNING, mesosv1.TaskState_TASK_FINISHED} {
				found := false
				for _, s := range states {
					found = found || s == want
				}
				if !found {
					return fmt.Sprintf("%v is among %v", want, states)
				}
			}
			return ""
		})
	})
	nobodyLeft(t, c, dir)
	assert.Empty(t, f.wrongs())
	well(t, server{"master", c.Master})
}

// bomb is an archive with one entry.
func bomb(t *testing.T, entries ...*tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		text := []byte("escaped")
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(text))
		}
		h.Mode = 0o644
		require.NoError(t, w.WriteHeader(h))
		if h.Typeflag == tar.TypeReg {
			_, err := w.Write(text)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	path := filepath.Join(t.TempDir(), "bomb.tar")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	return path
}

func TestURIs(t *testing.T) {
	t.Parallel()
	c, dir := up(t, nil, nil)
	f := join(t, c)
	outside := t.TempDir()
	target := filepath.Join(outside, "escaped")
	number := 0
	const absolute = "an archive with an absolute path"
	for name, uri := range map[string]*mesosv1.CommandInfo_URI{
		"an output above the sandbox": {Value: proto.String("/etc/hostname"), OutputFile: proto.String("../../escaped")},
		"an output that is absolute":  {Value: proto.String("/etc/hostname"), OutputFile: proto.String(target)},
		"an archive with ..":          {Value: proto.String(bomb(t, &tar.Header{Name: "../../escaped", Typeflag: tar.TypeReg}))},
		absolute:                      {Value: proto.String(bomb(t, &tar.Header{Name: target, Typeflag: tar.TypeReg}))},
		"an archive with a link outside": {Value: proto.String(bomb(t,
			&tar.Header{Name: "link", Linkname: outside, Typeflag: tar.TypeSymlink}, &tar.Header{Name: "link/escaped", Typeflag: tar.TypeReg}))},
		"an archive with a hard link outside": {Value: proto.String(bomb(t, &tar.Header{Name: "passwd", Linkname: "/etc/passwd", Typeflag: tar.TypeLink}))},
	} {
		t.Run(name+" does not leave the sandbox", func(t *testing.T) {
			number++
			info := shell(fmt.Sprintf("uri-%d", number), "exit 0")
			info.Command.Uris = []*mesosv1.CommandInfo_URI{uri}
			f.launch(info, func(point, string) {})
			end := f.ends(t, info.GetTaskId().GetValue())
			assert.NoFileExists(t, target)
			assert.NoFileExists(t, filepath.Join(dir, "escaped"))
			if name != absolute { // taken for a relative one, as tar does
				assert.Equal(t, mesosv1.TaskState_TASK_FAILED, end.GetState(), end.GetMessage())
			}
		})
	}
	nobodyLeft(t, c, dir)
	runsATask(t, c, dir, "after")
}

func TestSchedulerThatNeverReads(t *testing.T) {
	t.Parallel()
	c, dir := up(t, nil, nil)
	f := join(t, c)
	id := f.id().GetValue()
	f.close() // its place is taken by one that subscribes and does not read
	conn := dial(t, c.Master.Address)
	body := fmt.Sprintf(`{"type":"SUBSCRIBE","framework_id":{"value":%q},"subscribe":{"framework_info":{"id":{"value":%q},"user":"root","name":"chaos",`+
		`"checkpoint":true,"failover_timeout":3600,"roles":["*"],"capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]},"force":true}}`, id, id)
	_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", schedulerPath, len(body), body)
	require.NoError(t, err)
	var head []byte
	for !bytes.Contains(head, []byte("\r\n\r\n")) { // no byte more
		one := make([]byte, 1)
		_, err := conn.Read(one)
		require.NoError(t, err)
		head = append(head, one...)
	}
	_, stream, found := strings.Cut(strings.ToLower(string(head)), "mesos-stream-id: ")
	require.True(t, found, "%s", head)
	stream, _, _ = strings.Cut(stream, "\r\n")
	// Each call is answered with as many events as it has tasks, which nobody reads.
	call := &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), FrameworkId: &mesosv1.FrameworkID{Value: &id}, Reconcile: &scheduler.Call_Reconcile{}}
	for i := range 20_000 {
		call.Reconcile.Tasks = append(call.Reconcile.Tasks, &scheduler.Call_Reconcile_Task{TaskId: &mesosv1.TaskID{Value: proto.String(fmt.Sprintf("task-%d", i))}})
	}
	text, err := proto.Marshal(call)
	require.NoError(t, err)
	calls := 0
	eventually(t, func() string {
		a := post(t, c.Master.Address, schedulerPath, bytes.NewReader(text), "Content-Type", typeProtobuf, "Mesos-Stream-Id", stream)
		calls++
		if a.status == 202 {
			return fmt.Sprintf("it is cut off, after %d calls", calls)
		}
		return ""
	})
	well(t, server{"master", c.Master})
	runsATask(t, c, dir, "others")
}

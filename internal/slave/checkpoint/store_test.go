package checkpoint_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

var (
	agent     = &mesosv1.AgentID{Value: proto.String("A")}
	framework = &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: proto.String("F")}, Name: proto.String("f"), User: proto.String("u")}
	executor  = &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")}}
	container = &mesosv1.ContainerID{Value: proto.String("C")}
	at        = core.RunPath{Agent: agent, Framework: framework.Id, Executor: executor.ExecutorId, Container: container}
)

const updatesFile = "meta/slaves/A/frameworks/F/executors/E/runs/C/tasks/T/task.updates"

func task(id string) *mesosv1.Task {
	return &mesosv1.Task{
		Name: &id, TaskId: &mesosv1.TaskID{Value: &id}, FrameworkId: framework.Id, AgentId: agent,
		State: mesosv1.TaskState_TASK_STAGING.Enum(),
	}
}

func update(uuid string) core.SaveUpdate {
	return core.SaveUpdate{At: at, Task: task("T").TaskId, Record: &wire.StatusUpdateRecord{
		Type: wire.StatusUpdateRecord_UPDATE.Enum(), Update: &wire.StatusUpdate{
			FrameworkId: framework.Id, Timestamp: proto.Float64(1), Uuid: []byte(uuid),
			Status: &mesosv1.TaskStatus{TaskId: task("T").TaskId, State: mesosv1.TaskState_TASK_RUNNING.Enum()},
		},
	}}
}

// all are one checkpoint of each kind, in the order in which an agent writes them.
func all() []core.Checkpoint {
	return []core.Checkpoint{
		core.SaveAgent{Info: &mesosv1.AgentInfo{Id: agent, Hostname: proto.String("host")}},
		core.SaveFramework{Agent: agent, Info: framework},
		core.SaveExecutor{Agent: agent, Framework: framework.Id, Info: executor, Container: container},
		core.SaveTask{At: at, Task: task("T")},
		core.SaveMarker{At: at},
		update("u1"), update("u2"),
		core.SaveUpdate{At: at, Task: task("T").TaskId, Record: &wire.StatusUpdateRecord{
			Type: wire.StatusUpdateRecord_ACK.Enum(), Uuid: []byte("u1"),
		}},
		core.SaveSentinel{At: at},
	}
}

func open(t *testing.T) (*checkpoint.Store, string) {
	work := t.TempDir()
	s, err := checkpoint.Open(work)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s, work
}

func filled(t *testing.T) (*checkpoint.Store, string) {
	s, work := open(t)
	for _, c := range all() {
		require.NoError(t, s.Write(c))
	}
	return s, work
}

// TestTheLayout compares names and bytes with those that an agent of Mesos writes.
func TestTheLayout(t *testing.T) {
	_, work := filled(t)
	var got strings.Builder
	require.NoError(t, filepath.WalkDir(work, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(work, path)
		require.NoError(t, err)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			require.NoError(t, err)
			fmt.Fprintf(&got, "%s -> %s\n", name, target)
		case d.Type().IsRegular() && filepath.Base(name) == "boot_id":
			fmt.Fprintf(&got, "%s\n", name)
		case d.Type().IsRegular():
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			fmt.Fprintf(&got, "%s\n%s", name, hex.Dump(content))
		}
		return nil
	}))
	golden := filepath.Join("testdata", "layout.golden")
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

func TestRecoverReadsWhatWasWritten(t *testing.T) {
	t.Run("nothing", func(t *testing.T) {
		s, _ := open(t)
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.Nil(t, state)
	})
	t.Run("everything", func(t *testing.T) {
		s, work := filled(t)
		require.NoError(t, os.MkdirAll(filepath.Join(work, "meta/slaves/A/frameworks/F/executors/E/runs/C/pids"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(work, "meta/slaves/A/frameworks/F/executors/E/runs/C/pids/forked.pid"), []byte("42"), 0o644))
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.Equal(t, "host", state.Agent.GetHostname())
		assert.False(t, state.Rebooted)
		require.Len(t, state.Frameworks, 1)
		assert.True(t, proto.Equal(framework, state.Frameworks[0].Info))
		require.Len(t, state.Frameworks[0].Executors, 1)
		e := state.Frameworks[0].Executors[0]
		assert.True(t, proto.Equal(executor, e.Info))
		assert.Equal(t, "C", e.Container.GetValue())
		assert.Equal(t, 42, e.PID)
		assert.True(t, e.HTTP)
		assert.True(t, e.Completed)
		require.Len(t, e.Tasks, 1)
		assert.True(t, proto.Equal(task("T"), e.Tasks[0].Task))
		assert.Len(t, e.Tasks[0].Records, 3)
	})
	t.Run("older runs and former ids are garbage", func(t *testing.T) {
		s, work := filled(t)
		require.NoError(t, s.Write(core.SaveExecutor{Agent: agent, Framework: framework.Id, Info: executor,
			Container: &mesosv1.ContainerID{Value: proto.String("D")}}))
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.Equal(t, "D", state.Frameworks[0].Executors[0].Container.GetValue())
		assert.Equal(t, []string{
			filepath.Join(work, "slaves/A/frameworks/F/executors/E/runs/C"), filepath.Join(work, "meta/slaves/A/frameworks/F/executors/E/runs/C"),
		}, state.Garbage)

		require.NoError(t, s.Write(core.SaveAgent{Info: &mesosv1.AgentInfo{
			Id: &mesosv1.AgentID{Value: proto.String("B")}, Hostname: proto.String("host")}}))
		state, err = s.Recover(true)
		require.NoError(t, err)
		assert.Equal(t, "B", state.Agent.GetId().GetValue())
		assert.Equal(t, []string{filepath.Join(work, "slaves/A"), filepath.Join(work, "meta/slaves/A")}, state.Garbage)
	})
	t.Run("links of Mesos' own, which are absolute", func(t *testing.T) {
		s, work := filled(t)
		link := filepath.Join(work, "meta/slaves/latest")
		require.NoError(t, os.Remove(link))
		require.NoError(t, os.Symlink("/somewhere/else/meta/slaves/A", link))
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.Equal(t, "host", state.Agent.GetHostname())
	})
	t.Run("a reboot is noticed", func(t *testing.T) {
		s, work := filled(t)
		require.NoError(t, os.WriteFile(filepath.Join(work, "meta/boot_id"), []byte("another"), 0o644))
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.True(t, state.Rebooted)
	})
	t.Run("a forgotten agent is not there", func(t *testing.T) {
		s, _ := filled(t)
		require.NoError(t, s.Write(core.ForgetAgent{}))
		require.NoError(t, s.Write(core.ForgetAgent{}))
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.Nil(t, state)
	})
}

func TestWhatAKilledAgentLeaves(t *testing.T) {
	t.Run("updates cut off anywhere are read up to there, and can be added to", func(t *testing.T) {
		s, work := filled(t)
		path := filepath.Join(work, updatesFile)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		ends := []int{0}
		for at := 0; at < len(whole); {
			at += 4 + int(whole[at]) // small records on a little-endian machine
			ends = append(ends, at)
		}
		require.Equal(t, len(whole), ends[3])
		for cut := range len(whole) + 1 {
			require.NoError(t, os.WriteFile(path, whole[:cut], 0o644))
			state, err := s.Recover(true)
			require.NoError(t, err)
			want := 0
			for want < 3 && ends[want+1] <= cut {
				want++
			}
			require.Len(t, state.Frameworks[0].Executors[0].Tasks[0].Records, want, "cut at %d", cut)
			require.NoError(t, s.Write(update("later")))
			state, err = s.Recover(true)
			require.NoError(t, err)
			require.Len(t, state.Frameworks[0].Executors[0].Tasks[0].Records, want+1)
		}
	})
	t.Run("each prefix of what it writes can be recovered", func(t *testing.T) {
		for n := range len(all()) + 1 {
			s, _ := open(t)
			for _, c := range all()[:n] {
				require.NoError(t, s.Write(c))
			}
			state, err := s.Recover(true)
			require.NoError(t, err, "%d", n)
			assert.Equal(t, n > 0, state != nil)
		}
	})
	t.Run("empty files and temporary ones are left out", func(t *testing.T) {
		s, work := filled(t)
		require.NoError(t, os.WriteFile(filepath.Join(work, "meta/slaves/A/frameworks/F/executors/E/executor.info"), nil, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(work, "meta/slaves/A/frameworks/F/framework.info.new"), []byte("half"), 0o644))
		state, err := s.Recover(true)
		require.NoError(t, err)
		assert.Empty(t, state.Frameworks[0].Executors)
	})
}

func TestWhatMakesNoSense(t *testing.T) {
	for _, c := range []struct {
		name, file string
		content    []byte
		strict     string
	}{
		{"a cut message", "slave.info", []byte{9, 0, 0, 0, 1}, "cut off"},
		{"a message that is none", "frameworks/F/framework.info", []byte{2, 0, 0, 0, 0xff, 0xff}, "makes no sense"},
		{"something behind it", "frameworks/F/executors/E/executor.info", []byte{0, 0, 0, 0, 1}, "makes no sense"},
		{"a task of another name", "frameworks/F/executors/E/runs/C/tasks/T/task.info", record(task("X")), `it is of task "X"`},
		{"no number", "frameworks/F/executors/E/runs/C/pids/forked.pid", []byte("x"), "no process id"},
		{"an update that is none", "frameworks/F/executors/E/runs/C/tasks/T/task.updates", []byte{2, 0, 0, 0, 0xff, 0xff}, "makes no sense"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, work := filled(t)
			path := filepath.Join(work, "meta/slaves/A", c.file)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, c.content, 0o644))
			_, err := s.Recover(true)
			require.ErrorContains(t, err, c.strict)
			assert.ErrorContains(t, err, path)
			state, err := s.Recover(false)
			require.NoError(t, err)
			if c.file != "slave.info" {
				assert.Equal(t, 1, state.Errors)
			}
		})
	}
	t.Run("all of it is reported", func(t *testing.T) {
		s, work := filled(t)
		for _, name := range []string{"frameworks/F/executors/E/runs/C/tasks/T/task.info", "frameworks/F/executors/E/runs/C/pids/forked.pid"} {
			path := filepath.Join(work, "meta/slaves/A", name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte("xxxxx"), 0o644))
		}
		_, err := s.Recover(true)
		assert.ErrorContains(t, err, "task.info")
		assert.ErrorContains(t, err, "forked.pid")
	})
}

func record(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return append([]byte{byte(len(b)), 0, 0, 0}, b...)
}

func TestNothingLeavesTheFolder(t *testing.T) {
	t.Run("ids", func(t *testing.T) {
		s, work := open(t)
		bad := at
		bad.Executor = &mesosv1.ExecutorID{Value: proto.String("../../../../../../evil")}
		require.ErrorContains(t, s.Write(core.SaveMarker{At: bad}), "slash")
		require.ErrorContains(t, s.Write(core.SaveAgent{Info: &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("..")}}}), "names a folder")
		require.ErrorContains(t, s.Write(core.SaveTask{At: at, Task: task("")}), "empty")
		entries, err := os.ReadDir(filepath.Join(work, "meta"))
		require.NoError(t, err)
		assert.Empty(t, entries)
	})
	t.Run("links", func(t *testing.T) {
		s, work := filled(t)
		outside := t.TempDir()
		tasks := filepath.Join(work, "meta/slaves/A/frameworks/F/executors/E/runs/C/tasks")
		require.NoError(t, os.RemoveAll(tasks))
		require.NoError(t, os.Symlink(outside, tasks))
		require.Error(t, s.Write(core.SaveTask{At: at, Task: task("T")}))
		entries, err := os.ReadDir(outside)
		require.NoError(t, err)
		assert.Empty(t, entries)
		_, err = s.Recover(true)
		assert.Error(t, err)
	})
	t.Run("a full disk leaves what was there", func(t *testing.T) {
		s, work := filled(t)
		dir := filepath.Join(work, "meta/slaves/A/frameworks/F")
		require.NoError(t, os.Remove(filepath.Join(dir, "framework.info")))
		require.NoError(t, os.Mkdir(filepath.Join(dir, "framework.info"), 0o755)) // nothing can be renamed over it
		err := s.Write(core.SaveFramework{Agent: agent, Info: framework})
		assert.ErrorContains(t, err, filepath.Join(dir, "framework.info"))
	})
}

// FuzzRecover reads updates that are anything.
func FuzzRecover(f *testing.F) {
	f.Add([]byte{})
	f.Add(record(update("u").Record))
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	work := f.TempDir()
	s, err := checkpoint.Open(work)
	require.NoError(f, err)
	for _, c := range all() {
		require.NoError(f, s.Write(c))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(work, updatesFile)
		require.NoError(t, os.WriteFile(path, content, 0o644))
		state, err := s.Recover(false)
		require.NoError(t, err)
		first := len(state.Frameworks[0].Executors[0].Tasks[0].Records)
		again, err := s.Recover(false)
		require.NoError(t, err)
		assert.Len(t, again.Frameworks[0].Executors[0].Tasks[0].Records, first)
	})
}

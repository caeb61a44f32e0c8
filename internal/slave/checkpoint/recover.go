package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/hashicorp/go-multierror"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/paths"
	"github.com/mesos-modules/mms/internal/wire"
)

// maxFile bounds what is read of one file.
const maxFile = 1 << 30

// Recover reads what is written down. It is nil if nothing is: the agent never
// registered. What an agent had no time to write, because it was killed, is left out;
// a last record of updates that is cut off is taken away, so that others can follow
// it. What makes no sense otherwise is an error: all of them if strict, else they are
// counted, and the things left out.
func (s *Store) Recover(strict bool) (*core.State, error) {
	r := &reader{store: s}
	state, err := r.read()
	if err != nil {
		r.errs = multierror.Append(r.errs, err)
	}
	if err := r.errs.ErrorOrNil(); err != nil && strict {
		return nil, err
	}
	if state != nil && r.errs != nil {
		state.Errors = len(r.errs.Errors)
	}
	return state, nil
}

// reader reads one state and keeps what is wrong with it.
type reader struct {
	store *Store
	errs  *multierror.Error
}

// wrong notes an error about a path.
func (r *reader) wrong(path string, err error) {
	r.errs = multierror.Append(r.errs, fmt.Errorf("recover %s: %w", filepath.Join(r.store.meta, path), err))
}

func (r *reader) read() (*core.State, error) {
	id, err := r.latest(paths.Slaves(""))
	if err != nil || id == "" {
		return nil, err
	}
	state := &core.State{}
	if boot, ok := r.file(bootIDFile); ok {
		old := string(trimmed(boot))
		state.Rebooted = old != "" && r.store.bootID != "" && old != r.store.bootID
	}
	agent := &mesosv1.AgentInfo{}
	if !r.message(path.Join(paths.Slave("", id), agentFile), agent) {
		return nil, nil // killed before it was written
	}
	if agent.GetId().GetValue() != id {
		r.wrong(path.Join(paths.Slave("", id), agentFile), fmt.Errorf("it is of agent %q", agent.GetId().GetValue()))
		return nil, nil
	}
	state.Agent = agent
	for _, other := range r.list(paths.Slaves("")) {
		if other != id {
			state.Garbage = append(state.Garbage, paths.Slave(filepath.Dir(r.store.meta), other), paths.Slave(r.store.meta, other))
		}
	}
	for _, framework := range r.list(path.Join(paths.Slave("", id), "frameworks")) {
		if f := r.framework(state, id, framework); f != nil {
			state.Frameworks = append(state.Frameworks, f)
		}
	}
	return state, nil
}

func (r *reader) framework(state *core.State, agent, id string) *core.FrameworkState {
	dir := paths.Framework("", agent, id)
	f := &core.FrameworkState{Info: &mesosv1.FrameworkInfo{}}
	if !r.message(path.Join(dir, frameworkFile), f.Info) {
		return nil
	}
	if f.Info.GetId().GetValue() != id {
		r.wrong(path.Join(dir, frameworkFile), fmt.Errorf("it is of framework %q", f.Info.GetId().GetValue()))
		return nil
	}
	for _, executor := range r.list(path.Join(dir, "executors")) {
		if e := r.executor(state, agent, id, executor); e != nil {
			f.Executors = append(f.Executors, e)
		}
	}
	return f
}

func (r *reader) executor(state *core.State, agent, framework, id string) *core.ExecutorState {
	dir := paths.Executor("", agent, framework, id)
	e := &core.ExecutorState{Info: &mesosv1.ExecutorInfo{}}
	if !r.message(path.Join(dir, executorFile), e.Info) {
		return nil
	}
	if e.Info.GetExecutorId().GetValue() != id {
		r.wrong(path.Join(dir, executorFile), fmt.Errorf("it is of executor %q", e.Info.GetExecutorId().GetValue()))
		return nil
	}
	runs := path.Join(dir, "runs")
	latest, err := r.latest(runs)
	if err != nil {
		r.wrong(path.Join(runs, paths.Latest), err)
		return nil
	}
	if latest == "" {
		return nil
	}
	for _, run := range r.list(runs) {
		if run != latest {
			work := filepath.Dir(r.store.meta)
			state.Garbage = append(state.Garbage, paths.Run(work, agent, framework, id, run),
				paths.Run(r.store.meta, agent, framework, id, run))
		}
	}
	r.run(e, path.Join(runs, latest), latest)
	return e
}

func (r *reader) run(e *core.ExecutorState, dir, container string) {
	e.Container = &mesosv1.ContainerID{Value: proto.String(container)}
	_, e.HTTP = r.file(path.Join(dir, markerFile))
	_, e.Completed = r.file(path.Join(dir, sentinelFile))
	pidFile := path.Join(dir, "pids", "forked.pid")
	if text, ok := r.file(pidFile); ok && len(trimmed(text)) > 0 {
		pid, err := strconv.Atoi(string(trimmed(text)))
		if err != nil || pid <= 0 {
			r.wrong(pidFile, fmt.Errorf("%.20q is no process id", text))
		} else {
			e.PID = pid
		}
	}
	for _, task := range r.list(path.Join(dir, "tasks")) {
		if t := r.task(path.Join(dir, "tasks", task), task); t != nil {
			e.Tasks = append(e.Tasks, t)
		}
	}
}

func (r *reader) task(dir, id string) *core.TaskState {
	t := &core.TaskState{Task: &mesosv1.Task{}}
	if !r.message(path.Join(dir, taskFile), t.Task) {
		return nil
	}
	if t.Task.GetTaskId().GetValue() != id {
		r.wrong(path.Join(dir, taskFile), fmt.Errorf("it is of task %q", t.Task.GetTaskId().GetValue()))
		return nil
	}
	t.Records = r.records(path.Join(dir, updatesFile))
	return t
}

// records reads the updates of a task, and takes a last one away that is cut off.
func (r *reader) records(name string) []*wire.StatusUpdateRecord {
	all, ok := r.file(name)
	if !ok {
		return nil
	}
	var records []*wire.StatusUpdateRecord
	for rest := all; len(rest) > 0; {
		one := &wire.StatusUpdateRecord{}
		behind, err := next(rest, one)
		if errors.Is(err, errCut) {
			r.truncate(name, int64(len(all)-len(rest)))
			return records
		}
		if err != nil {
			r.wrong(name, err)
			return records
		}
		records = append(records, one)
		rest = behind
	}
	return records
}

func (r *reader) truncate(name string, size int64) {
	f, err := r.store.root.OpenFile(name, os.O_WRONLY, fileMode)
	if err != nil {
		r.wrong(name, err)
		return
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		r.wrong(name, err)
	}
}

// message reads the one message of a file. It is false if it is not there, or empty,
// because who wrote it was killed; or wrong, which is noted.
func (r *reader) message(name string, m proto.Message) bool {
	b, ok := r.file(name)
	if !ok || len(b) == 0 {
		return false
	}
	rest, err := next(b, m)
	switch {
	case err != nil:
		r.wrong(name, err)
		return false
	case len(rest) > 0:
		r.wrong(name, fmt.Errorf("%d bytes follow the message", len(rest)))
		return false
	}
	return true
}

// file reads a file. It is false if it is not there; anything else that keeps it from
// being read is noted.
func (r *reader) file(name string) ([]byte, bool) {
	info, err := r.store.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false
	case err == nil && !info.Mode().IsRegular():
		err = errors.New("it is no file")
	case err == nil && info.Size() > maxFile:
		err = fmt.Errorf("it has %d bytes", info.Size())
	}
	var b []byte
	if err == nil {
		b, err = r.store.root.ReadFile(name)
	}
	if err != nil {
		r.wrong(name, err)
		return nil, false
	}
	return b, true
}

// list returns the names of the folders in a folder, sorted; none if it is not there.
func (r *reader) list(dir string) []string {
	entries, err := fs.ReadDir(r.store.root.FS(), dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.wrong(dir, err)
		}
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// latest reads the link in a folder; empty if there is none. Where it points to does
// not count, only the name at its end: the folder may have moved.
func (r *reader) latest(dir string) (string, error) {
	target, err := r.store.root.Readlink(path.Join(dir, paths.Latest))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name := path.Base(target)
	return name, paths.Segment(name)
}

// Package checkpoint writes down what an agent runs, and reads it when the next agent
// takes over. The tree below meta in the work folder is that of Apache Mesos:
//
//	boot_id
//	slaves/latest -> <agent>
//	slaves/<agent>/slave.info
//	  frameworks/<framework>/framework.info, framework.pid
//	    executors/<executor>/executor.info
//	      runs/latest -> <container>
//	      runs/<container>/http.marker, executor.sentinel, pids/forked.pid
//	        tasks/<task>/task.info, task.updates
//
// A message is its length, four bytes in the order of the host, and its bytes. Files
// are written beside their place and renamed into it; task.updates is appended to. As
// in Mesos nothing is forced to the disk: what is written survives the end of the
// agent, not always that of the host.
//
// The store never leaves its folder: ids that are no names of files are refused, and
// links are not followed out of it.
package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/paths"
)

// Names of files.
const (
	bootIDFile        = "boot_id"
	agentFile         = "slave.info"
	frameworkFile     = "framework.info"
	frameworkPIDFile  = "framework.pid"
	executorFile      = "executor.info"
	markerFile        = "http.marker"
	sentinelFile      = "executor.sentinel"
	taskFile          = "task.info"
	updatesFile       = "task.updates"
	temporary         = ".new"
	nobodyPID         = "@0.0.0.0:0" // of frameworks that speak HTTP
	folderMode        = 0o755
	fileMode          = 0o644
	currentBootIDFile = "/proc/sys/kernel/random/boot_id"
)

// Store is the folder meta of one agent. It is for one goroutine.
type Store struct {
	root   *os.Root
	meta   string
	bootID string
	runs   runs
}

// Open makes the folder meta below work, if it is not there, and returns its store.
func Open(work string) (*Store, error) {
	meta := paths.Meta(work)
	if err := os.MkdirAll(meta, folderMode); err != nil {
		return nil, fmt.Errorf("open checkpoints: %w", err)
	}
	root, err := os.OpenRoot(meta)
	if err != nil {
		return nil, fmt.Errorf("open checkpoints: %w", err)
	}
	boot, _ := os.ReadFile(currentBootIDFile) // without it no reboot is noticed
	return &Store{root: root, meta: meta, bootID: string(trimmed(boot))}, nil
}

// Close gives the folder back.
func (s *Store) Close() error { return errors.Join(s.runs.close(), s.root.Close()) }

// Write writes one checkpoint. The error names what could not be written.
func (s *Store) Write(c core.Checkpoint) error {
	path, err := s.write(c)
	if err != nil {
		if path == "" {
			return fmt.Errorf("checkpoint %T: %w", c, err)
		}
		return fmt.Errorf("checkpoint %s: %w", filepath.Join(s.meta, path), err)
	}
	return nil
}

func (s *Store) write(c core.Checkpoint) (path string, err error) {
	switch c := c.(type) {
	case core.SaveAgent:
		return s.saveAgent(c.Info)
	case core.ForgetAgent:
		path = filepath.Join(paths.Slaves(""), paths.Latest)
		if err := s.root.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
		return path, nil
	case core.SaveFramework:
		if err := segments(c.Agent.GetValue(), c.Info.GetId().GetValue()); err != nil {
			return "", err
		}
		dir := paths.Framework("", c.Agent.GetValue(), c.Info.GetId().GetValue())
		if path, err = s.top().put(dir, frameworkPIDFile, []byte(nobodyPID)); err != nil {
			return path, err
		}
		return s.top().save(dir, frameworkFile, c.Info)
	case core.SaveExecutor:
		return s.saveExecutor(c)
	case core.SaveTask:
		return s.inRun(c.At, func(run folder) (string, error) {
			return run.save(taskFolder(c.Task.GetTaskId()), taskFile, c.Task)
		}, c.Task.GetTaskId().GetValue())
	case core.SaveMarker:
		return s.inRun(c.At, func(run folder) (string, error) { return run.put("", markerFile, nil) })
	case core.SaveSentinel:
		path, err := s.inRun(c.At, func(run folder) (string, error) { return run.put("", sentinelFile, nil) })
		return path, errors.Join(err, s.runs.forget(filepath.Dir(path)))
	case core.SaveUpdate:
		return s.inRun(c.At, func(run folder) (string, error) {
			return run.append(taskFolder(c.Task), updatesFile, c.Record)
		}, c.Task.GetValue())
	default:
		return "", fmt.Errorf("no checkpoint is of type %T", c)
	}
}

func (s *Store) top() folder { return folder{s.root} }

func (s *Store) saveAgent(info *mesosv1.AgentInfo) (string, error) {
	id := info.GetId().GetValue()
	if err := segments(id); err != nil {
		return "", err
	}
	if path, err := s.top().save(paths.Slave("", id), agentFile, info); err != nil {
		return path, err
	}
	if path, err := s.top().link(paths.Slaves(""), id); err != nil {
		return path, err
	}
	return s.top().put("", bootIDFile, []byte(s.bootID))
}

func (s *Store) saveExecutor(c core.SaveExecutor) (string, error) {
	agent, framework := c.Agent.GetValue(), c.Framework.GetValue()
	executor, container := c.Info.GetExecutorId().GetValue(), c.Container.GetValue()
	if err := segments(agent, framework, executor, container); err != nil {
		return "", err
	}
	if path, err := s.top().save(paths.Executor("", agent, framework, executor), executorFile, c.Info); err != nil {
		return path, err
	}
	run := paths.Run("", agent, framework, executor, container)
	if err := s.root.MkdirAll(run, folderMode); err != nil {
		return run, err
	}
	return s.top().link(filepath.Dir(run), container)
}

func taskFolder(id *mesosv1.TaskID) string { return filepath.Join("tasks", id.GetValue()) }

// inRun writes something of a run, whose folder is kept open while it goes on.
func (s *Store) inRun(at core.RunPath, write func(run folder) (string, error), more ...string) (string, error) {
	agent, framework := at.Agent.GetValue(), at.Framework.GetValue()
	executor, container := at.Executor.GetValue(), at.Container.GetValue()
	if err := segments(append(more, agent, framework, executor, container)...); err != nil {
		return "", err
	}
	dir := paths.Run("", agent, framework, executor, container)
	run, err := s.runs.open(s.root, dir)
	if err != nil {
		return dir, err
	}
	path, err := write(folder{run})
	return filepath.Join(dir, path), err
}

func segments(ids ...string) error {
	for _, id := range ids {
		if err := paths.Segment(id); err != nil {
			return err
		}
	}
	return nil
}

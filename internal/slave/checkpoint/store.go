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

	"google.golang.org/protobuf/proto"

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
func (s *Store) Close() error { return s.root.Close() }

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
		if path, err = s.put(dir, frameworkPIDFile, []byte(nobodyPID)); err != nil {
			return path, err
		}
		return s.save(dir, frameworkFile, c.Info)
	case core.SaveExecutor:
		return s.saveExecutor(c)
	case core.SaveTask:
		dir, err := taskFolder(c.At, c.Task.GetTaskId())
		if err != nil {
			return "", err
		}
		return s.save(dir, taskFile, c.Task)
	case core.SaveMarker:
		return s.touch(c.At, markerFile)
	case core.SaveSentinel:
		return s.touch(c.At, sentinelFile)
	case core.SaveUpdate:
		dir, err := taskFolder(c.At, c.Task)
		if err != nil {
			return "", err
		}
		return s.append(dir, updatesFile, c.Record)
	default:
		return "", fmt.Errorf("no checkpoint is of type %T", c)
	}
}

func (s *Store) saveAgent(info *mesosv1.AgentInfo) (string, error) {
	id := info.GetId().GetValue()
	if err := segments(id); err != nil {
		return "", err
	}
	if path, err := s.save(paths.Slave("", id), agentFile, info); err != nil {
		return path, err
	}
	if path, err := s.link(paths.Slaves(""), id); err != nil {
		return path, err
	}
	return s.put("", bootIDFile, []byte(s.bootID))
}

func (s *Store) saveExecutor(c core.SaveExecutor) (string, error) {
	agent, framework := c.Agent.GetValue(), c.Framework.GetValue()
	executor, container := c.Info.GetExecutorId().GetValue(), c.Container.GetValue()
	if err := segments(agent, framework, executor, container); err != nil {
		return "", err
	}
	if path, err := s.save(paths.Executor("", agent, framework, executor), executorFile, c.Info); err != nil {
		return path, err
	}
	run := paths.Run("", agent, framework, executor, container)
	if err := s.root.MkdirAll(run, folderMode); err != nil {
		return run, err
	}
	return s.link(filepath.Dir(run), container)
}

func (s *Store) touch(at core.RunPath, name string) (string, error) {
	dir, err := runFolder(at)
	if err != nil {
		return "", err
	}
	return s.put(dir, name, nil)
}

func (s *Store) save(dir, name string, m proto.Message) (string, error) {
	b, err := record(m)
	if err != nil {
		return filepath.Join(dir, name), err
	}
	return s.put(dir, name, b)
}

// put writes a file whole or not at all.
func (s *Store) put(dir, name string, content []byte) (string, error) {
	path := filepath.Join(dir, name)
	if dir != "" {
		if err := s.root.MkdirAll(dir, folderMode); err != nil {
			return path, err
		}
	}
	if err := s.root.WriteFile(path+temporary, content, fileMode); err != nil {
		_ = s.root.Remove(path + temporary) // it may be half there
		return path, err
	}
	return path, s.root.Rename(path+temporary, path)
}

// append adds a record at the end of a file. Of one that does not fit nothing is left:
// else what is appended later could not be read.
func (s *Store) append(dir, name string, m proto.Message) (path string, err error) {
	path = filepath.Join(dir, name)
	b, err := record(m)
	if err != nil {
		return path, err
	}
	if err := s.root.MkdirAll(dir, folderMode); err != nil {
		return path, err
	}
	f, err := s.root.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return path, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	before, err := f.Stat()
	if err != nil {
		return path, err
	}
	if _, err := f.Write(b); err != nil {
		return path, errors.Join(err, f.Truncate(before.Size()))
	}
	return path, nil
}

// link makes dir/latest point to a neighbour.
func (s *Store) link(dir, target string) (string, error) {
	path := filepath.Join(dir, paths.Latest)
	_ = s.root.Remove(path + temporary) // of an agent that was killed
	if err := s.root.Symlink(target, path+temporary); err != nil {
		return path, err
	}
	return path, s.root.Rename(path+temporary, path)
}

func runFolder(at core.RunPath) (string, error) {
	agent, framework := at.Agent.GetValue(), at.Framework.GetValue()
	executor, container := at.Executor.GetValue(), at.Container.GetValue()
	if err := segments(agent, framework, executor, container); err != nil {
		return "", err
	}
	return paths.Run("", agent, framework, executor, container), nil
}

func taskFolder(at core.RunPath, task *mesosv1.TaskID) (string, error) {
	run, err := runFolder(at)
	if err != nil {
		return "", err
	}
	if err := segments(task.GetValue()); err != nil {
		return "", err
	}
	return filepath.Join(run, "tasks", task.GetValue()), nil
}

func segments(ids ...string) error {
	for _, id := range ids {
		if err := paths.Segment(id); err != nil {
			return err
		}
	}
	return nil
}

// Package paths says where things are below the work folder of an agent, as Apache
// Mesos lays them out. The same tree is there twice: sandboxes in the work folder
// itself, and in its folder meta what the agent writes down of them.
//
//	slaves/<agent>/frameworks/<framework>/executors/<executor>/runs/<container>
//
// Ids go in as they are: who takes them from a message checks them with [Segment]
// first.
package paths

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Latest is the link in a folder of runs, or of agents, to the last of them.
const Latest = "latest"

// Meta is where checkpoints are.
func Meta(work string) string { return filepath.Join(work, "meta") }

// Slaves is the folder of all agents that this one was.
func Slaves(root string) string { return filepath.Join(root, "slaves") }

// Slave is the folder of an agent; root is the work folder or [Meta].
func Slave(root, agent string) string { return filepath.Join(Slaves(root), agent) }

// Framework is the folder of a framework.
func Framework(root, agent, framework string) string {
	return filepath.Join(Slave(root, agent), "frameworks", framework)
}

// Executor is the folder of an executor.
func Executor(root, agent, framework, executor string) string {
	return filepath.Join(Framework(root, agent, framework), "executors", executor)
}

// Run is the folder of a run of an executor: in the work folder its sandbox.
func Run(root, agent, framework, executor, container string) string {
	return filepath.Join(Executor(root, agent, framework, executor), "runs", container)
}

// ForkedPID is the file that holds the process of a container, below [Meta].
func ForkedPID(root, agent, framework, executor, container string) string {
	return filepath.Join(Run(root, agent, framework, executor, container), "pids", "forked.pid")
}

// Volume is the folder of a persistent volume. A slash in the role becomes a space,
// which no role has.
func Volume(work, role, persistence string) string {
	return filepath.Join(work, "volumes", "roles", strings.ReplaceAll(role, "/", " "), persistence)
}

// maxName is how long the name of a file may be.
const maxName = 255

// Segment checks that an id can be the name of a file: Mesos' rule for ids.
func Segment(id string) error {
	switch {
	case id == "":
		return errors.New("an id is empty")
	case len(id) > maxName:
		return fmt.Errorf("id %.20q... is longer than %d bytes", id, maxName)
	case id == ".", id == "..":
		return fmt.Errorf("id %q names a folder", id)
	case strings.ContainsFunc(id, func(c rune) bool { return c == '/' || c == '\\' || c < ' ' || c == 0x7f }):
		return fmt.Errorf("id %q has a slash, a backslash or a control character", id)
	}
	return nil
}

package mesos

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Recover looks at every runtime folder. A folder whose shim takes a connection is a
// container that lives.
func (m *Containerizer) Recover(_ context.Context, states []*slave.ContainerState) (*slave.ContainerRecoverInfo, error) {
	known := map[string]*slave.ContainerState{}
	for _, s := range states {
		known[key(s.GetContainerId())] = s
	}
	out := &slave.ContainerRecoverInfo{}
	err := m.recoverBelow(nil, m.runtime, known, out)
	return out, err
}

// recoverBelow looks at the containers that are nested in parent, or at the roots.
func (m *Containerizer) recoverBelow(parent *mesosv1.ContainerID, folder string, known map[string]*slave.ContainerState,
	out *slave.ContainerRecoverInfo) error {
	entries, err := os.ReadDir(filepath.Join(folder, containersFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		id := &mesosv1.ContainerID{Value: proto.String(e.Name()), Parent: parent}
		c := newContainer(id, filepath.Join(folder, containersFolder, e.Name()))
		m.look(c)
		state, ok := known[key(id)]
		if !ok && parent != nil && known[key(parent)] != nil && c.config.GetContainerClass() != slave.ContainerClass_DEBUG {
			state, ok = nestedState(c), true
			known[key(id)] = state
		}
		if ok {
			out.CheckpointedContainerStates = append(out.CheckpointedContainerStates, withPid(state, c.pid))
		}
		if err := m.recoverBelow(id, c.folder, known, out); err != nil {
			return err
		}
		if !ok {
			out.OrphanContainerIds = append(out.OrphanContainerIds, id) // after what is nested in it
		}
		if err := m.add(c); err != nil {
			return err
		}
	}
	return nil
}

// look reads what is known of a container. What cannot be read is left out: the
// container may still be ended.
func (m *Containerizer) look(c *container) {
	c.config = &slave.ContainerConfig{}
	if _, err := readMessage(filepath.Join(c.folder, configFile), c.config); err != nil {
		m.log.Error("a container's configuration is lost", "container", key(c.id), "error", err)
	}
	c.pid, _ = readNumber(filepath.Join(c.folder, pidFile))
	conn, err := dial(c.folder)
	if err == nil {
		c.control, c.child = conn, c.pid > 0 && parentOf(c.pid) == os.Getpid()
		go c.wait(m.log)
		return
	}
	c.end(m.terminationOf(c))
}

// terminationOf is what is known of a container that has ended.
func (m *Containerizer) terminationOf(c *container) *slave.ContainerTermination {
	t := &slave.ContainerTermination{}
	found, err := readMessage(filepath.Join(c.folder, terminationFile), t)
	if err != nil {
		m.log.Error("how a container ended is lost", "container", key(c.id), "error", err)
	}
	if found && err == nil {
		return t
	}
	if status, ok := readNumber(filepath.Join(c.folder, statusFile)); ok {
		return &slave.ContainerTermination{Status: proto.Int32(int32(status))}
	}
	c.sweep()
	return &slave.ContainerTermination{}
}

func nestedState(c *container) *slave.ContainerState {
	return &slave.ContainerState{
		ContainerId: c.id, Directory: proto.String(c.config.GetDirectory()),
		ContainerInfo: c.config.GetContainerInfo(), EphemeralVolumes: c.config.GetEphemeralVolumes(),
	}
}

func withPid(s *slave.ContainerState, pid int) *slave.ContainerState {
	out := proto.CloneOf(s)
	out.Pid = proto.Uint64(uint64(pid))
	return out
}

// parentOf returns 0 if there is no such process.
func parentOf(pid int) int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name may hold spaces and brackets; behind the last one stand state and parent.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return parent
}

package held

import (
	"bytes"
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

// Recovery is how a module takes up what it finds.
type Recovery struct {
	// Outcome is called of containers whose holder has ended, or ends later.
	Outcome Outcome

	// Pid is the container's first process, as the module sees it.
	Pid func(*Container) int
}

// Recover looks at every container's folder; see the role Containerizer. A folder whose
// holder takes a connection is a container that lives.
func (b *Books) Recover(states []*slave.ContainerState, how Recovery) (*slave.ContainerRecoverInfo, error) {
	r := recovery{Books: b, how: how, known: map[string]*slave.ContainerState{}, out: &slave.ContainerRecoverInfo{}}
	for _, s := range states {
		r.known[Key(s.GetContainerId())] = s
	}
	err := r.below(nil, b.folder)
	return r.out, err
}

type recovery struct {
	*Books
	how   Recovery
	known map[string]*slave.ContainerState
	out   *slave.ContainerRecoverInfo
}

// below looks at the containers that are nested in parent, or at the roots.
func (r *recovery) below(parent *mesosv1.ContainerID, folder string) error {
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
		r.look(c)
		state, ok := r.known[Key(id)]
		if !ok && parent != nil && r.known[Key(parent)] != nil && !c.IsDebug() {
			state, ok = nestedState(c), true
			r.known[Key(id)] = state
		}
		if ok {
			r.out.CheckpointedContainerStates = append(r.out.CheckpointedContainerStates, withPid(state, r.how.Pid(c)))
		}
		if err := r.below(id, c.Folder); err != nil {
			return err
		}
		if !ok {
			r.out.OrphanContainerIds = append(r.out.OrphanContainerIds, id) // after what is nested in it
		}
		if err := r.add(c); err != nil {
			return err
		}
	}
	return nil
}

// look reads what is known of a container. What cannot be read is left out: the
// container may still be ended.
func (r *recovery) look(c *Container) {
	c.Config = &slave.ContainerConfig{}
	if _, err := readMessage(filepath.Join(c.Folder, configFile), c.Config); err != nil {
		r.log.Error("a container's configuration is lost", "container", Key(c.ID), "error", err)
	}
	c.holder, _ = ReadNumber(filepath.Join(c.Folder, pidFile))
	if conn, err := dial(c.Folder); err == nil {
		c.control, c.started = conn, true
		c.child = c.holder > 0 && parentOf(c.holder) == os.Getpid()
		c.Follow(r.log, r.how.Outcome)
		return
	}
	t := &slave.ContainerTermination{}
	found, err := readMessage(filepath.Join(c.Folder, terminationFile), t)
	if err != nil {
		r.log.Error("how a container ended is lost", "container", Key(c.ID), "error", err)
	}
	if !found || err != nil {
		t = r.how.Outcome(c, c.status())
	}
	c.end(t)
}

func nestedState(c *Container) *slave.ContainerState {
	return &slave.ContainerState{
		ContainerId: c.ID, Directory: proto.String(c.Config.GetDirectory()),
		ContainerInfo: c.Config.GetContainerInfo(), EphemeralVolumes: c.Config.GetEphemeralVolumes(),
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

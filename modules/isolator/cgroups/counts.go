package cgroups

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	lib "github.com/opencontainers/cgroups"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Count writes into out how many processes and threads are in the container, those of
// nested containers included.
func (g *Group) Count(controller string, out *mesosv1.ResourceStatistics) error {
	pids, err := lib.GetAllPids(g.folders[controller])
	if err != nil {
		return err
	}
	threads, err := g.threads(controller)
	if err != nil {
		return err
	}
	out.Processes, out.Threads = proto.Uint32(uint32(len(pids))), proto.Uint32(uint32(threads))
	return nil
}

func (g *Group) threads(controller string) (int, error) {
	file := "tasks"
	if g.Unified {
		file = "cgroup.threads"
	}
	count := 0
	err := filepath.WalkDir(g.folders[controller], func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			var text string
			if text, err = lib.ReadFile(path, file); err == nil {
				count += strings.Count(text, "\n")
			}
		}
		if path != g.folders[controller] && errors.Is(err, os.ErrNotExist) {
			return nil // a nested one has just gone
		}
		return err
	})
	return count, err
}

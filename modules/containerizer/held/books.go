package held

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Books are the containers of a module. All methods may be called from any goroutine.
type Books struct {
	folder string
	log    *slog.Logger

	mu         sync.Mutex
	containers map[string]*Container
}

// NewBooks makes the folder in which the containers' folders are.
func NewBooks(folder string, log *slog.Logger) (*Books, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(folder, containersFolder), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the containers: %w", err)
	}
	return &Books{folder: folder, log: log, containers: map[string]*Container{}}, nil
}

// Find returns a container that is in the books.
func (b *Books) Find(id *mesosv1.ContainerID) (*Container, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.containers[Key(id)]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("there is no container %s", Key(id))
}

// All returns the containers, sorted by their keys.
func (b *Books) All() []*Container {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*Container, 0, len(b.containers))
	for _, c := range b.containers {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Container) int { return strings.Compare(Key(a.ID), Key(b.ID)) })
	return all
}

// Enter makes a container and enters it, without a folder or a process.
func (b *Books) Enter(id *mesosv1.ContainerID) (*Container, error) {
	folder, err := FolderOf(b.folder, id)
	if err != nil {
		return nil, err
	}
	c := newContainer(id, folder)
	return c, b.add(c)
}

func (b *Books) add(c *Container) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.containers[Key(c.ID)] != nil {
		return fmt.Errorf("there is a container %s already", Key(c.ID))
	}
	b.containers[Key(c.ID)] = c
	return nil
}

// Drop forgets a container and what is nested in it, on disk too.
func (b *Books) Drop(c *Container) error {
	b.mu.Lock()
	root := Key(c.ID)
	for k := range b.containers {
		if k == root || strings.HasPrefix(k, root+"/") {
			delete(b.containers, k)
		}
	}
	b.mu.Unlock()
	return os.RemoveAll(c.Folder)
}

// Close lets go of all containers; they go on.
func (b *Books) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.containers {
		c.Release()
		c.detach()
	}
	clear(b.containers)
}

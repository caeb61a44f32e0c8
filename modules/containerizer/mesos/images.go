package mesos

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/held"
)

// exported is what the module hands to those that require it by name.
type exported struct{ images atomic.Bool }

// TakeImages says that an isolator finds images and gives containers their root file
// systems. Before, no container with an image is supported.
func (e *exported) TakeImages() { e.images.Store(true) }

var _ facade.Exporter = (*Containerizer)(nil)

// Export implements facade.Exporter.
func (m *Containerizer) Export() any { return &m.exported }

// Supports takes what needs no image, and images if an isolator finds them.
func (m *Containerizer) Supports(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (bool, error) {
	info := config.GetContainerInfo()
	if info == nil {
		return true, nil
	}
	if info.GetType() != mesosv1.ContainerInfo_MESOS {
		return false, nil
	}
	if info.GetMesos().GetImage() != nil && !m.exported.images.Load() {
		return false, fmt.Errorf("container %s wants an image, and nobody here finds any: name filesystem/linux in --isolation and give it the parameter images_dir", held.Key(id))
	}
	return true, nil
}

package native

// #include "abi.h"
import "C"

import (
	"unsafe"

	"github.com/mesos-modules/mms/facade"
)

// newView copies what is loaded into C memory, sorted as the view has it.
func newView(a *arena, view facade.View) *C.mesos_view {
	modules := view.Modules()
	first := zeroed[C.mesos_view_module](a, len(modules))
	for i, m := range modules {
		unsafe.Slice(first, len(modules))[i] = C.mesos_view_module{
			name: a.text(m.Name), role: a.text(m.Role), version: a.text(m.Version),
			library: a.text(m.Library.Path), mesos_version: a.text(m.Library.MesosVersion),
		}
	}
	v := zeroed[C.mesos_view](a, 1)
	v.size = C.sizeof_mesos_view
	v.module_count = C.uint32_t(len(modules))
	v.module_size = C.sizeof_mesos_view_module
	v.modules = first
	v.mesos_version = a.text(view.MesosVersion())
	return v
}

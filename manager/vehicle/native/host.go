package native

// #include "abi.h"
import "C"

import (
	"fmt"
	"strings"

	"github.com/mesos-modules/mms/facade"
)

// host is what one instance has of the daemon, for as long as it lives.
type host struct {
	arena
	c        *C.mesos_host
	log      *logPipe
	lifetime *cContext
}

func newHost(h facade.Host, module string) (*host, error) {
	log, err := newLogPipe(h.Logger())
	if err != nil {
		return nil, err
	}
	folder, err := h.StateDir()
	if err != nil {
		h.Logger().Debug("the module gets no state folder", "error", err)
		folder = ""
	}
	x := &host{log: log, lifetime: newContext(h.Lifetime())}
	x.c = zeroed[C.mesos_host](&x.arena, 1)
	x.c.size = C.sizeof_mesos_host
	x.c.log_fd = C.int32_t(log.write)
	x.c.module = x.text(module)
	x.c.state_dir = x.text(folder)
	x.c.lifetime = x.lifetime.c
	return x, nil
}

// release is called when the instance is gone.
func (h *host) release() {
	h.lifetime.free()
	h.log.close()
	h.free()
}

// newParameters copies the parameters. C cannot carry a NUL inside of a text.
func newParameters(a *arena, all facade.Parameters) (*C.mesos_parameters, error) {
	keys, values := make([]string, len(all)), make([]string, len(all))
	for i, p := range all {
		if strings.ContainsRune(p.Key, 0) || strings.ContainsRune(p.Value, 0) {
			return nil, fmt.Errorf("parameter %q holds a NUL character, which a native module cannot be given", p.Key)
		}
		keys[i], values[i] = p.Key, p.Value
	}
	c := zeroed[C.mesos_parameters](a, 1)
	c.size = C.sizeof_mesos_parameters
	c.count = C.uint32_t(len(all))
	c.keys, c.values = a.texts(keys), a.texts(values)
	return c, nil
}

package golib

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Library serves the modules of Go libraries that are part of the process: of the
// binary, or of a plugin that has been opened. Nothing of it can be unloaded. It
// holds no state and is safe for concurrent use.
type Library struct {
	names   []string // in order of declaration
	modules map[string]*facade.Declaration
}

var _ vehicle.Library = (*Library)(nil)

// Open returns an open library with the modules of all libraries. Of two modules
// of one name the first counts; Describe holds the second against the library.
func Open(libraries ...facade.Library) *Library {
	l := &Library{modules: map[string]*facade.Declaration{}}
	for _, library := range libraries {
		for _, declared := range library.Modules {
			if declared == nil {
				continue
			}
			d := declared.Declare()
			if _, known := l.modules[d.Name]; known {
				continue
			}
			l.modules[d.Name] = &d
			l.names = append(l.names, d.Name)
		}
	}
	return l
}

// Compatible implements vehicle.Library. A module without a check is admitted.
func (l *Library) Compatible(ctx context.Context, module string, view facade.View) error {
	d, err := l.find(module)
	if err != nil {
		return err
	}
	if d.Compatible == nil {
		return nil
	}
	return d.Compatible(ctx, view)
}

// Create implements vehicle.Library. The instance's clean-up is its Close, with
// or without a context; an instance without one has none.
func (l *Library) Create(ctx context.Context, module string, host facade.Host, p facade.Parameters) (vehicle.Instance, error) {
	d, err := l.find(module)
	if err != nil {
		return vehicle.Instance{}, err
	}
	if d.New == nil {
		return vehicle.Instance{}, fmt.Errorf("module %s has no constructor", module)
	}
	value, err := d.New(ctx, host, p)
	if err != nil {
		return vehicle.Instance{}, err
	}
	return vehicle.Instance{Value: value, Destroy: func(ctx context.Context) error {
		switch c := value.(type) {
		case facade.Closer:
			return c.Close(ctx)
		case io.Closer:
			return c.Close()
		default:
			return nil
		}
	}}, nil
}

// Close implements vehicle.Library and does nothing.
func (l *Library) Close() error { return nil }

// Unloads implements vehicle.Library: Go code stays for as long as the process.
func (l *Library) Unloads() bool { return false }

func (l *Library) find(module string) (*facade.Declaration, error) {
	d, ok := l.modules[module]
	if !ok {
		return nil, fmt.Errorf("the library has no module %q; it has %s", module, strings.Join(l.names, ", "))
	}
	return d, nil
}

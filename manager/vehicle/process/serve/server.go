package serve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// server is the process's root object: it opens the library and makes its instances.
type server struct {
	open    opener
	leaving atomic.Bool // the daemon has asked the process to end

	mu        sync.Mutex // never held while the library runs
	described bool
	library   vehicle.Library   // nil before it is open
	roles     map[string]string // of its modules
	instances map[uint64]*instance
}

var _ wire.Servant = (*server)(nil)

func newServer(open opener) *server {
	return &server{open: open, roles: map[string]string{}, instances: map[uint64]*instance{}}
}

// instance is one that is being made, or lives.
type instance struct {
	module string
	made   chan struct{} // closed when the constructor has returned, or will not
	value  *vehicle.Instance
	object uint64
	host   *host
}

// Serve implements wire.Servant.
func (s *server) Serve(ctx context.Context, c *wire.Conn, method string, in *wire.Decoder, out *wire.Encoder) error {
	switch method {
	case protocol.Describe:
		return protocol.Answer(in, out, s.describe)
	case protocol.Compatible:
		return protocol.Answer(in, out, func(q protocol.Checking) (none protocol.Nothing, err error) {
			return none, s.compatible(ctx, c, q)
		})
	case protocol.Create:
		return protocol.Answer(in, out, func(q protocol.Creation) (protocol.Created, error) { return s.create(ctx, c, q) })
	case protocol.Destroy:
		return protocol.Answer(in, out, func(q protocol.Destruction) (none protocol.Nothing, err error) {
			return none, s.destroy(ctx, c, q)
		})
	case protocol.EndLife:
		return protocol.Answer(in, out, func(q protocol.Destruction) (none protocol.Nothing, err error) {
			return none, s.endLife(q)
		})
	case protocol.Ping:
		return nil
	case protocol.Exit:
		return s.exit()
	default:
		return wire.UnknownMethod("", method)
	}
}

// describe opens the library.
func (s *server) describe(o protocol.Opening) (protocol.Described, error) {
	s.mu.Lock()
	again := s.described
	s.described = true
	s.mu.Unlock()
	if again {
		return protocol.Described{}, errors.New("the library has been opened before")
	}
	library, d, err := s.open(o)
	if err != nil {
		return protocol.Described{Description: d, Refusal: protocol.Refuse(err)}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.library = library
	for _, m := range d.Modules {
		if s.roles[m.Name] == "" { // of two of one name the first counts
			s.roles[m.Name] = m.Role
		}
	}
	return protocol.Described{Description: d}, nil
}

func (s *server) opened() (vehicle.Library, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.library == nil {
		return nil, errors.New("the library is not open")
	}
	return s.library, nil
}

func (s *server) compatible(ctx context.Context, c *wire.Conn, q protocol.Checking) error {
	library, err := s.opened()
	if err != nil {
		return err
	}
	return library.Compatible(ctx, q.Module, newView(c.Remote(q.Host)))
}

// create makes an instance and lends it to the daemon.
func (s *server) create(ctx context.Context, c *wire.Conn, q protocol.Creation) (protocol.Created, error) {
	library, err := s.opened()
	if err != nil {
		return protocol.Created{}, err
	}
	i := &instance{module: q.Module, made: make(chan struct{}), host: newHost(c, q)}
	role, err := s.begin(q.Key, i)
	if err != nil {
		return protocol.Created{}, err
	}
	defer func() { // also when the constructor panics
		close(i.made)
		if i.value == nil {
			s.forget(q.Key, i)
		}
	}()
	var p facade.Parameters
	for _, x := range q.Parameters {
		p = append(p, facade.Parameter{Key: string(x.Key), Value: string(x.Value)})
	}
	value, err := library.Create(ctx, q.Module, i.host, p)
	if err != nil {
		return protocol.Created{}, err
	}
	servant, ok := bridge.Servant(role, value.Value)
	if !ok {
		err := fmt.Errorf("module %s: a %T of role %s cannot be carried between processes", q.Module, value.Value, role)
		return protocol.Created{}, errors.Join(err, value.Destroy(ctx))
	}
	i.value, i.object = &value, c.Export(servant)
	return protocol.Created{Role: role, Object: i.object}, nil
}

// begin notes that an instance is being made, and returns its role.
func (s *server) begin(key uint64, i *instance) (role string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.instances[key] != nil {
		return "", fmt.Errorf("there is an instance %d already", key)
	}
	s.instances[key] = i
	return s.roles[i.module], nil
}

// forget ends what an instance has of the daemon, after it has said its last.
func (s *server) forget(key uint64, i *instance) {
	s.mu.Lock()
	delete(s.instances, key)
	s.mu.Unlock()
	i.host.end()
	ctx, cancel := context.WithTimeout(background, askLimit)
	defer cancel()
	i.host.flush(ctx)
}

func (s *server) find(key uint64) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.instances[key]
}

// destroy runs the clean-up of an instance. One that is still being made is waited for:
// nobody else knows of it.
func (s *server) destroy(ctx context.Context, c *wire.Conn, q protocol.Destruction) error {
	i := s.find(q.Key)
	if i == nil {
		return nil // it was never made
	}
	<-i.made
	s.mu.Lock()
	value := i.value
	i.value = nil
	s.mu.Unlock()
	if value == nil {
		return nil
	}
	defer s.forget(q.Key, i)
	c.Withdraw(i.object)
	return value.Destroy(ctx)
}

func (s *server) endLife(q protocol.Destruction) error {
	if i := s.find(q.Key); i != nil {
		i.host.end()
	}
	return nil
}

// exit gives the library back. The process ends with the connection.
func (s *server) exit() error {
	s.leaving.Store(true)
	library, err := s.opened()
	if err != nil {
		return nil // there is nothing to give back
	}
	return library.Close()
}

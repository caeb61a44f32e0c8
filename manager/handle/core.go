package handle

import (
	"context"
	"reflect"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// closing is added to a seat's count when nobody may enter any more. It is far
// above any number of calls, so both are read in one load.
const closing = int64(1) << 62

const cacheLine = 64

// seat is one bound instance and the calls inside it.
type seat[T any] struct {
	instance T
	_        [cacheLine]byte // callers on other cores change calls, and read instance all the time
	calls    atomic.Int64
	once     sync.Once
	empty    chan struct{} // closed when the seat is closing and the last call has left
}

// leave ends a call. A call that came too late and goes elsewhere leaves as well,
// so the count may reach closing more than once.
func (s *seat[T]) leave() {
	if s.calls.Add(-1) == closing {
		s.emptied()
	}
}

//go:noinline
func (s *seat[T]) emptied() { s.once.Do(func() { close(s.empty) }) }

// shut lets nobody in any more.
func (s *seat[T]) shut() {
	if s.calls.Add(closing) == closing {
		s.emptied()
	}
}

// core is a handle but for the role's methods.
type core[T any] struct {
	current atomic.Pointer[seat[T]]
	away    atomic.Pointer[absence] // why nothing is bound; nil if nothing is to be said
	options Options

	mu      sync.Mutex // held for changes of the binding, never while a module runs
	retired []*seat[T] // shut, and perhaps not empty yet
}

// enter begins a call and returns the seat to leave, or nil if nothing is bound.
func (c *core[T]) enter() *seat[T] {
	s := c.current.Load()
	if s == nil || s.calls.Add(1) < closing {
		return s
	}
	return c.enterAgain(s)
}

// enterAgain is for a call that entered a seat just after it was shut: it leaves
// again and looks for the next one. A shut seat is never the current one, so each
// round sees another.
//
//go:noinline
func (c *core[T]) enterAgain(s *seat[T]) *seat[T] {
	for {
		s.leave()
		s = c.current.Load()
		if s == nil || s.calls.Add(1) < closing {
			return s
		}
	}
}

// broken ends a call that did not return. recovered is what recover gave: nil if
// runtime.Goexit is unwinding the goroutine, which the deferred call cannot and
// should not stop.
func (c *core[T]) broken(s *seat[T], method string, recovered any) error {
	defer s.leave()
	if recovered == nil {
		recovered = ErrGoexit
	}
	if c.options.Panicked != nil {
		c.options.Panicked(method, recovered, debug.Stack())
	}
	return &PanicError{Site: c.options.Site, Role: c.options.Role, Module: c.options.Module, Method: method, Value: recovered}
}

// unbound is the answer to a call while nothing is bound.
func (c *core[T]) unbound(method string) error {
	if why := c.away.Load(); why != nil {
		return &UnavailableError{Site: c.options.Site, Role: c.options.Role, Module: c.options.Module, Method: method, Cause: why.cause}
	}
	return &unboundError{site: c.options.Site, role: c.options.Role, method: method}
}

// absence is why a module is away.
type absence struct{ cause error }

func (c *core[T]) Away(cause error) {
	if cause == nil {
		c.away.Store(nil)
		return
	}
	c.away.Store(&absence{cause})
}

func (c *core[T]) Bind(instance any) error {
	s, err := c.seatFor(instance)
	if err != nil {
		return err
	}
	if !c.current.CompareAndSwap(nil, s) {
		return &boundError{site: c.options.Site, role: c.options.Role, module: c.options.Module}
	}
	return nil
}

func (c *core[T]) Replace(ctx context.Context, instance any) error {
	s, err := c.seatFor(instance)
	if err != nil {
		return err
	}
	c.mu.Lock()
	old := c.current.Load()
	if old == nil {
		c.mu.Unlock()
		return c.unbound("Replace")
	}
	c.current.Store(s) // only under mu is what is bound exchanged or taken away
	old.shut()
	c.retired = append(c.retired, old)
	c.mu.Unlock()
	return c.drain(ctx, []*seat[T]{old})
}

func (c *core[T]) Unbind(ctx context.Context) error {
	c.mu.Lock()
	if old := c.current.Swap(nil); old != nil {
		old.shut()
		c.retired = append(c.retired, old)
	}
	waiting := append([]*seat[T](nil), c.retired...)
	c.mu.Unlock()
	return c.drain(ctx, waiting)
}

func (c *core[T]) seatFor(instance any) (*seat[T], error) {
	typed, ok := instance.(T)
	if !ok || isNil(instance) {
		return nil, &TypeError{Site: c.options.Site, Role: c.options.Role, Module: c.options.Module,
			Want: reflect.TypeFor[T](), Got: reflect.TypeOf(instance)}
	}
	return &seat[T]{instance: typed, empty: make(chan struct{})}, nil
}

// drain waits until nobody is inside the seats, or ctx ends.
func (c *core[T]) drain(ctx context.Context, seats []*seat[T]) error {
	defer c.forgetEmpty()
	for _, s := range seats {
		select {
		case <-s.empty:
			continue
		default:
		}
		select {
		case <-s.empty:
		case <-ctx.Done():
			if inside := c.inside(seats); inside > 0 {
				return &BusyError{Site: c.options.Site, Role: c.options.Role, Module: c.options.Module,
					Calls: inside, Cause: context.Cause(ctx)}
			}
			return nil
		}
	}
	return nil
}

func (c *core[T]) inside(seats []*seat[T]) int {
	n := int64(0)
	for _, s := range seats {
		select {
		case <-s.empty:
		default:
			n += s.calls.Load() - closing
		}
	}
	return int(n)
}

func (c *core[T]) forgetEmpty() {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.retired[:0]
	for _, s := range c.retired {
		select {
		case <-s.empty:
		default:
			kept = append(kept, s)
		}
	}
	clear(c.retired[len(kept):])
	c.retired = kept
}

// isNil finds the typed nil in an interface, which fails only when it is called.
func isNil(instance any) bool {
	switch v := reflect.ValueOf(instance); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.UnsafePointer:
		return v.IsNil()
	default:
		return false
	}
}

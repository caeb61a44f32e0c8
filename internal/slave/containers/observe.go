package containers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/outage"
)

// Update changes what a container may use: requests are what it is given, limits by name
// what it may not exceed. After an error the container is not what was asked for, and is
// best destroyed.
func (s *Service) Update(ctx context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource,
	limits map[string]*mesosv1.Value_Scalar) error {
	c, err := s.find(id)
	if err != nil {
		return err
	}
	ctx, done, err := s.alive(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	c.calls.Lock()
	defer c.calls.Unlock()
	v, err := s.view(id)
	if err != nil || v.state >= destroying {
		return errors.Join(fmt.Errorf("container %s is %v", c.key, destroying), err)
	}
	config := proto.CloneOf(v.config)
	config.Resources, config.Limits = requests, limits
	s.mu.Lock()
	c.config, c.useKnown = config, true
	s.mu.Unlock()
	return s.tellUse(ctx, c)
}

// tellUse tells all modules what a container may use. One that is away hears it when it
// is there again. c.calls is held.
func (s *Service) tellUse(ctx context.Context, c *container) error {
	v, err := s.view(c.id)
	if err != nil {
		return err
	}
	requests, quantities := v.config.GetResources(), &mesosv1.OfferFilters_ResourceQuantities{Quantities: v.config.GetLimits()}
	err = v.engine.Containerizer.Update(ctx, c.id, requests, quantities)
	if outage.Is(err) {
		s.oweUse(c)
	} else if err != nil {
		return fmt.Errorf("containerizer %s: update container %s: %w", v.engine.Name, c.key, err)
	}
	errs := make([]error, len(c.isolators))
	var all sync.WaitGroup
	for n, i := range c.isolators {
		all.Go(func() {
			err := i.Update(ctx, c.id, requests, quantities)
			if outage.Is(err) {
				s.oweUse(c)
			} else if err != nil {
				errs[n] = fmt.Errorf("isolator %s: update container %s: %w", i.Name, c.key, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// alive waits until the container is launched and ties ctx to its life.
func (s *Service) alive(ctx context.Context, c *container) (context.Context, func(), error) {
	select {
	case <-c.launched:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	return ctx, func() { stop(); cancel() }, nil
}

// Usage returns what a container uses and may use. What one module does not tell is left
// out.
func (s *Service) Usage(ctx context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	out := &mesosv1.ResourceStatistics{Timestamp: proto.Float64(float64(time.Now().UnixNano()) / 1e9)}
	err := observe(ctx, s, id, "usage", out, source[*mesosv1.ResourceStatistics]{
		engine:   func(e Engine) ask[*mesosv1.ResourceStatistics] { return e.Containerizer.Usage },
		isolator: func(i Isolator) ask[*mesosv1.ResourceStatistics] { return i.Usage },
		ours:     limitsIn,
	})
	return out, err
}

// Status returns what is known of a container's process, network and control groups.
// What one module does not tell is left out.
func (s *Service) Status(ctx context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	out := &mesosv1.ContainerStatus{}
	err := observe(ctx, s, id, "status", out, source[*mesosv1.ContainerStatus]{
		engine:   func(e Engine) ask[*mesosv1.ContainerStatus] { return e.Containerizer.Status },
		isolator: func(i Isolator) ask[*mesosv1.ContainerStatus] { return i.Status },
		ours:     func(v view, out *mesosv1.ContainerStatus) { out.ContainerId = v.id },
	})
	return out, err
}

type ask[T proto.Message] func(context.Context, *mesosv1.ContainerID) (T, error)

// source is who knows of a container.
type source[T proto.Message] struct {
	engine   func(Engine) ask[T]
	isolator func(Isolator) ask[T]
	ours     func(v view, out T)
}

// observe asks all at once and merges what they say in their order.
func observe[T proto.Message](ctx context.Context, s *Service, id *mesosv1.ContainerID, what string, out T, from source[T]) error {
	c, err := s.find(id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	c.calls.RLock()
	defer c.calls.RUnlock()
	v, err := s.view(id)
	if err != nil {
		return err
	}
	var names []string
	var asked []ask[T]
	if s.isIsolated(c) && v.state <= destroying {
		if v.state < destroying {
			names, asked = append(names, v.engine.Name), append(asked, from.engine(v.engine))
		}
		for _, i := range c.isolators { // their clean-up, if it is to come, waits for this call
			names, asked = append(names, i.Name), append(asked, from.isolator(i))
		}
	}
	answers := make([]T, len(asked))
	var all sync.WaitGroup
	for n, f := range asked {
		all.Go(func() {
			answer, err := f(ctx, c.id)
			if err != nil {
				s.Log.Warn("what one module knows of a container is left out", "of", what, "module", names[n], "container", c.key, "error", err)
				return
			}
			answers[n] = answer
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.ProtoReflect().IsValid() {
			proto.Merge(out, a)
		}
	}
	from.ours(v, out)
	return nil
}

func (s *Service) isIsolated(c *container) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.isolated
}

// limitsIn says what the container may use; what isolators say themselves holds.
func limitsIn(v view, out *mesosv1.ResourceStatistics) {
	request := func(name string) (sum float64) {
		for _, r := range v.config.GetResources() {
			if r.GetName() == name {
				sum += r.GetScalar().GetValue()
			}
		}
		return sum
	}
	limit := func(name string) float64 {
		if l := v.config.GetLimits()[name]; l != nil {
			return l.GetValue()
		}
		return request(name)
	}
	if n := limit("cpus"); n > 0 && out.CpusLimit == nil {
		out.CpusLimit = proto.Float64(n)
	}
	if n := limit("mem"); n > 0 && out.MemLimitBytes == nil {
		out.MemLimitBytes = proto.Uint64(bytesOf(n))
	}
	if n := request("cpus"); n > 0 && out.CpusSoftLimit == nil && v.config.GetLimits()["cpus"] != nil {
		out.CpusSoftLimit = proto.Float64(n)
	}
	if n := request("mem"); n > 0 && out.MemSoftLimitBytes == nil && v.config.GetLimits()["mem"] != nil {
		out.MemSoftLimitBytes = proto.Uint64(bytesOf(n))
	}
}

// bytesOf reads megabytes; what is infinite is the largest number.
func bytesOf(megabytes float64) uint64 {
	const most = 1 << 63
	if n := megabytes * (1 << 20); n < most {
		return uint64(n)
	}
	return most
}

package moduletest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// keeper is an isolator that keeps a note of each container. The flaws are what makes
// it wrong.
type keeper struct {
	isolator.Unimplemented
	flaws struct {
		strict, forgetful, limits, waits, late, lonely, racy, fragile bool
	}
	stay chan struct{} // what a flaw waits for

	mu       sync.Mutex
	prepared map[string]bool
	isolated map[string]bool
	sinks    map[string]func(*slave.ContainerLimitation)
	alone    atomicInt
}

func (k *keeper) Prepare(_ context.Context, id *mesosv1.ContainerID, _ *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	if k.flaws.lonely {
		defer k.alone.leave()
		if k.alone.enter() > 1 {
			return nil, errors.New("one container at a time")
		}
		k.alone.linger()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.prepared[id.GetValue()] = true
	return &slave.ContainerLaunchInfo{WorkingDirectory: proto.String("/")}, nil
}

func (k *keeper) Watch(_ context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	if k.flaws.waits {
		<-k.stay
	}
	if k.flaws.limits {
		sink(&slave.ContainerLimitation{})
		sink(&slave.ContainerLimitation{})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sinks[id.GetValue()] = sink
	return nil
}

func (k *keeper) Isolate(ctx context.Context, id *mesosv1.ContainerID, _ int32) error {
	if k.flaws.fragile && ctx.Err() != nil {
		panic(ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.isolated[id.GetValue()] = true
	return nil
}

func (k *keeper) Usage(context.Context, *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	if k.flaws.racy {
		defer k.alone.leave()
		if k.alone.enter() > 1 {
			return nil, errors.New("measured already")
		}
		k.alone.linger()
	}
	return nil, nil
}

func (k *keeper) Cleanup(_ context.Context, id *mesosv1.ContainerID) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := id.GetValue()
	if k.flaws.strict && !k.prepared[v] {
		return fmt.Errorf("there is no container %s", v)
	}
	if k.flaws.forgetful && k.prepared[v] && !k.isolated[v] {
		return fmt.Errorf("container %s has no process", v)
	}
	delete(k.prepared, v)
	delete(k.isolated, v)
	return nil
}

func (k *keeper) Close(context.Context) error {
	if k.flaws.late {
		for _, sink := range k.sinks {
			sink(&slave.ContainerLimitation{})
		}
	}
	return nil
}

func keeperLibrary(stay chan struct{}, flaw func(*keeper)) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[isolator.Isolator]{Name: "org_example_keeper",
		New: func(context.Context, facade.Host, facade.Parameters) (isolator.Isolator, error) {
			k := &keeper{stay: stay, prepared: map[string]bool{}, isolated: map[string]bool{}, sinks: map[string]func(*slave.ContainerLimitation){}}
			flaw(k)
			return k, nil
		}}}}
}

func TestIsolators(t *testing.T) {
	const (
		name   = "org_example_keeper"
		unseen = "Cleanup does nothing for containers that this isolator has never seen"
		orphan = "Recover comes first, and Cleanup follows for the orphans"
		ends   = "a launch can end after any call, and Cleanup undoes it"
		once   = "sink is called once at most, and not after Cleanup"
		usage  = "Usage and Status may come at any time between Isolate and Cleanup"
		many   = "calls for different containers come from any number of goroutines at once"
		atOnce = "Watch returns at once"
	)
	t.Run("right", func(t *testing.T) {
		Conformance(t, keeperLibrary(nil, func(*keeper) {}), name, ContainerConfig(&slave.ContainerConfig{Directory: proto.String("/tmp")}))
	})
	for about, c := range map[string]struct {
		flaw   func(*keeper)
		broken map[string]string
	}{
		"one that misses what it has not seen": {func(k *keeper) { k.flaws.strict = true },
			map[string]string{unseen: "there is no container never-seen", orphan: "there is no container orphan"}},
		"one that cleans up whole lives only": {func(k *keeper) { k.flaws.forgetful = true },
			map[string]string{ends: "Cleanup after Prepare", atOnce: "has no process"}},
		"one that says it twice":                 {func(k *keeper) { k.flaws.limits = true }, map[string]string{once: "is not less than or equal"}},
		"one that speaks of what is gone":        {func(k *keeper) { k.flaws.late = true }, map[string]string{once: "sink is called after Cleanup"}},
		"one that takes one container at a time": {func(k *keeper) { k.flaws.lonely = true }, map[string]string{many: "one container at a time"}},
		"one that does not stand an end": {func(k *keeper) { k.flaws.fragile = true },
			map[string]string{"a cancelled ctx means that the container is to be destroyed, and Cleanup follows": "panicked in Isolate"}},
		"one that measures one at a time": {func(k *keeper) { k.flaws.racy = true }, map[string]string{usage: "measured already", many: "measured already"}},
	} {
		t.Run(about, func(t *testing.T) { requireBroken(t, keeperLibrary(nil, c.flaw), name, c.broken) })
	}
	t.Run("one that waits in Watch", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		text := outcomeOf(t, atOnce, keeperLibrary(stay, func(k *keeper) { k.flaws.waits = true }), name, impatient)
		assert.Contains(t, text, "Watch does not return within")
	})
}

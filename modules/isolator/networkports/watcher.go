package networkports

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

type config struct {
	interval time.Duration
	enforce  bool
	watched  ports
	log      *slog.Logger

	// What the host says.
	listeners func(watched ports) (map[uint64]uint16, error)
	tree      func(pid int32) []int
	owned     func(pid int, sockets map[uint64]uint16, found func(port uint16))
	network   func(pid int) string

	rounds, failed, violations facade.Counter
}

// watcher looks at all containers in one round.
type watcher struct {
	isolator.Unimplemented
	config
	work   sync.WaitGroup
	cancel context.CancelFunc
	faulty bool // that a round failed was said; only the rounds look at it

	mu    sync.Mutex
	roots map[string]*root
}

var (
	_ isolator.Isolator = (*watcher)(nil)
	_ facade.Closer     = (*watcher)(nil)
)

// root is a container that is nested in no other, with all that are nested in it.
type root struct {
	id      string
	pids    map[string]int32 // by the container's key
	known   bool             // what it was given is
	granted ports
	last    string // what was found wrong before

	ctx  context.Context
	sink func(*slave.ContainerLimitation) // nil: nobody is told, or has been
}

func newWatcher(c config) *watcher {
	w := &watcher{config: c, roots: map[string]*root{}}
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.Background())
	w.work.Go(func() { w.run(ctx) })
	return w
}

// SupportsNesting is true: what nested containers do counts for their root.
func (*watcher) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true: such a container can listen too.
func (*watcher) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover takes up the containers. What they were given says the first Update, when their
// executors have come back: until then any port is theirs.
func (w *watcher) Recover(_ context.Context, states []*slave.ContainerState, _ []*mesosv1.ContainerID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range states {
		id := s.GetContainerId()
		if id.GetParent() == nil && !ownNetwork(s.GetContainerInfo(), s.GetExecutorInfo().GetContainer()) {
			w.roots[id.GetValue()] = &root{id: id.GetValue(), pids: map[string]int32{}}
		}
	}
	for _, s := range states { // nested ones may come before their roots
		if r := w.roots[rootOf(s.GetContainerId())]; r != nil {
			r.pids[key(s.GetContainerId())] = int32(s.GetPid())
		}
	}
	return nil
}

// Prepare takes up a container that shares the network of the host.
func (w *watcher) Prepare(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	if id.GetParent() != nil || ownNetwork(config.GetContainerInfo()) {
		return nil, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roots[id.GetValue()] = &root{id: id.GetValue(), pids: map[string]int32{}, known: true, granted: granted(config.GetResources())}
	return nil, nil
}

// ownNetwork reports whether a container joins a network by name.
func ownNetwork(infos ...*mesosv1.ContainerInfo) bool {
	return slices.ContainsFunc(infos, func(i *mesosv1.ContainerInfo) bool {
		return slices.ContainsFunc(i.GetNetworkInfos(), func(n *mesosv1.NetworkInfo) bool { return n.GetName() != "" })
	})
}

// Watch notes who is to be told.
func (w *watcher) Watch(ctx context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.roots[id.GetValue()]; r != nil && id.GetParent() == nil {
		r.ctx, r.sink = ctx, sink
	}
	return nil
}

// Isolate notes the process.
func (w *watcher) Isolate(_ context.Context, id *mesosv1.ContainerID, pid int32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.roots[rootOf(id)]; r != nil {
		r.pids[key(id)] = pid
	}
	return nil
}

// Update takes the new ports; those of a nested container are its root's.
func (w *watcher) Update(_ context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource, _ *mesosv1.OfferFilters_ResourceQuantities) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.roots[id.GetValue()]; r != nil && id.GetParent() == nil {
		r.known, r.granted = true, granted(requests)
	}
	return nil
}

// Cleanup forgets.
func (w *watcher) Cleanup(_ context.Context, id *mesosv1.ContainerID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id.GetParent() == nil {
		delete(w.roots, id.GetValue())
	} else if r := w.roots[rootOf(id)]; r != nil {
		delete(r.pids, key(id))
	}
	return nil
}

// Close ends the rounds.
func (w *watcher) Close(context.Context) error {
	w.cancel()
	w.work.Wait()
	return nil
}

func (w *watcher) run(ctx context.Context) {
	timer := time.NewTimer(w.interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		w.round(ctx)
		timer.Reset(w.interval)
	}
}

// round looks at all containers. The tables of the host are read once.
func (w *watcher) round(ctx context.Context) {
	all := w.present()
	if len(all) == 0 {
		return
	}
	w.rounds.Add(1)
	sockets, err := w.listeners(w.watched)
	if err != nil {
		w.failed.Add(1)
		if !w.faulty {
			w.log.Error("it cannot be seen at which ports anybody listens", "error", err)
		}
		w.faulty = true
		return
	}
	w.faulty = false
	if len(sockets) == 0 {
		return
	}
	host := w.network(0)
	for _, p := range all {
		if ctx.Err() != nil {
			return
		}
		w.judge(p.root, w.portsOf(p.pids, host, sockets))
	}
}

// look is a container with its processes, as they are when a round begins.
type look struct {
	root *root
	pids []int32
}

func (w *watcher) present() []look {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []look
	for _, id := range slices.Sorted(maps.Keys(w.roots)) {
		r := w.roots[id]
		if r.known && len(r.pids) > 0 {
			all = append(all, look{r, slices.Collect(maps.Values(r.pids))})
		}
	}
	return all
}

// portsOf are the ports at which processes listen, and all below them, sorted. Those in
// other networks than the host's are nobody's business.
func (w *watcher) portsOf(pids []int32, host string, sockets map[uint64]uint16) []uint16 {
	found := map[uint16]bool{}
	for _, first := range pids {
		for _, pid := range w.tree(first) {
			if w.network(pid) == host {
				w.owned(pid, sockets, func(port uint16) { found[port] = true })
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// judge tells of ports that a container was not given, once.
func (w *watcher) judge(r *root, found []uint16) {
	w.mu.Lock()
	wrong := spans(slices.DeleteFunc(found, r.granted.has))
	text := wrong.String()
	same := text == r.last
	r.last = text
	if same || len(wrong) == 0 || w.roots[r.id] != r {
		w.mu.Unlock()
		return
	}
	var sink func(*slave.ContainerLimitation)
	if w.enforce && r.ctx != nil && r.ctx.Err() == nil {
		sink, r.sink = r.sink, nil
	}
	w.mu.Unlock()
	w.violations.Add(1)
	message := "Container is listening on unallocated port(s): " + text
	w.log.Warn("a container listens at ports it was not given", "container", r.id, "ports", text, "enforced", w.enforce)
	if sink != nil {
		sink(&slave.ContainerLimitation{
			Resources: []*mesosv1.Resource{wrong.resource()}, Message: proto.String(message),
			Reason: mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION.Enum(),
		})
	}
}

func rootOf(id *mesosv1.ContainerID) string {
	for id.GetParent() != nil {
		id = id.GetParent()
	}
	return id.GetValue()
}

func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}

package sample

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// forwarder asks others.
type forwarder struct {
	named calculator.Calculator
	all   []calculator.Calculator
}

func newForwarder(_ context.Context, host facade.Host, _ facade.Parameters) (calculator.Calculator, error) {
	named, err := facade.Required[calculator.Calculator](host, "org_example_calculator")
	if err != nil {
		return nil, err
	}
	if _, err := facade.RequiredExport[any](host, "org_example_calculator"); err == nil {
		return nil, errors.New("something was exported")
	}
	return &forwarder{named, facade.RequiredRole[calculator.Calculator](host)}, nil
}

func (f *forwarder) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	sum, err := f.named.Compute(ctx, a, b)
	if err != nil {
		return 0, fmt.Errorf("forwarded: %w", err)
	}
	for _, other := range f.all {
		n, err := other.Compute(ctx, a, b)
		if err != nil {
			return 0, err
		}
		sum = 10*sum + n
	}
	return sum, nil
}

// guest uses all that a host has.
type guest struct {
	host  facade.Host
	count facade.Counter
	level facade.Gauge
	file  string
	done  chan struct{}
}

func newGuest(_ context.Context, host facade.Host, p facade.Parameters) (calculator.Calculator, error) {
	g := &guest{host: host, count: host.Metrics().Counter("calls", "How often."), level: host.Metrics().Gauge("level", "How high."), done: make(chan struct{})}
	g.file, _ = p.Get("file")
	folder, err := host.StateDir()
	if err != nil {
		host.Logger().Warn("no folder", "error", err)
	}
	host.Logger().With("who", "guest").WithGroup("made").Info("hello", "folder", folder, "modules", len(host.Modules()), "version", host.MesosVersion())
	go func() {
		defer close(g.done)
		<-host.Lifetime().Done()
		tell(g.file, "over")
	}()
	return g, nil
}

func (g *guest) Compute(_ context.Context, a byte, b int64) (int32, error) {
	g.count.Add(float64(a))
	g.level.Set(float64(b))
	if a == 'x' {
		for i := range b {
			g.host.Logger().Info("much", "i", i)
			g.host.Metrics().Counter(fmt.Sprint("calls_", i), "").Add(1)
		}
	}
	info, _ := g.host.Module("org_example_guest")
	return int32(len(info.Library.Path)), nil
}

func (g *guest) Close(context.Context) error {
	g.host.Logger().Info("goodbye")
	tell(g.file, "closed")
	return nil
}

// detector finds a master with each of three names.
type detector struct{}

func newDetector(context.Context, facade.Host, facade.Parameters) (masterdetector.MasterDetector, error) {
	return detector{}, nil
}

func (detector) Detect(ctx context.Context, self *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	if self.GetId() == "" {
		return fmt.Errorf("nobody: %w", fs.ErrInvalid)
	}
	go func() {
		for i := range 3 {
			id := fmt.Sprint(self.GetId(), i)
			sink(&leadership.Leadership{Leader: &mesosv1.MasterInfo{Id: &id, Ip: new(uint32), Port: new(uint32)}})
		}
		<-ctx.Done()
		tell(self.GetHostname(), "over")
	}()
	return nil
}

// relay has another do it.
type relay struct{ to masterdetector.MasterDetector }

func newRelay(_ context.Context, host facade.Host, _ facade.Parameters) (masterdetector.MasterDetector, error) {
	to, err := facade.Required[masterdetector.MasterDetector](host, "org_example_detector")
	return relay{to}, err
}

func (r relay) Detect(ctx context.Context, self *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	return r.to.Detect(ctx, self, sink)
}

// Command library is a library in an executable whose modules do what tests want to see.
// Some of it depends on the name it is started by.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

func main() {
	name := filepath.Base(os.Args[0])
	if len(os.Args) == 2 {
		before(name)
	}
	serve.Main(library(name))
}

// before is what a bad or hostile program does instead of serving.
func before(name string) {
	switch name {
	case "leaves":
		os.Exit(0)
	case "fails":
		fmt.Fprintln(os.Stderr, "there is no licence")
		os.Exit(5)
	case "hangs":
		select {}
	case "garbage":
		for {
			if _, err := syscall.Write(3, []byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
				select {}
			}
		}
	case "huge":
		// Nothing yet: its library is.
	case "forks and leaves":
		stay := exec.Command("/bin/sleep", "1000")
		stay.ExtraFiles = []*os.File{os.NewFile(3, "control")}
		stay.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := stay.Start(); err != nil {
			panic(err)
		}
		fmt.Println("left", stay.Process.Pid)
		os.Exit(0)
	}
}

func library(name string) facade.Library {
	all := facade.Library{Modules: []facade.Declared{
		facade.Module[calculator.Calculator]{
			Name: "org_example_calculator", Version: "1.2.0", Parameters: facade.SchemaOf[config](),
			Compatible: compatible, New: newCalculator,
		},
		facade.Module[calculator.Calculator]{
			Name: "org_example_forwarder", Requires: []facade.Requirement{{Module: "org_example_calculator"}, {Role: "Calculator"}}, New: newForwarder,
		},
		facade.Module[calculator.Calculator]{Name: "org_example_guest", New: newGuest},
		facade.Module[masterdetector.MasterDetector]{Name: "org_example_detector", New: newDetector},
		facade.Module[masterdetector.MasterDetector]{
			Name: "org_example_relay", Requires: []facade.Requirement{{Module: "org_example_detector"}}, New: newRelay,
		},
	}}
	if name == "huge" {
		for i := range 2500 {
			all.Modules = append(all.Modules, facade.Module[calculator.Calculator]{
				Name: fmt.Sprint("org_example_", i), Description: strings.Repeat("x", 4000), New: newCalculator,
			})
		}
	}
	if name == "fickle" {
		all.Modules = append(all.Modules, facade.Module[calculator.Calculator]{Name: fmt.Sprint("org_example_", os.Getpid()), New: newCalculator})
	}
	return all
}

type config struct {
	At   string `mms:"at" default:"call"` // new, call or close
	Does string `mms:"does"`
	File string `mms:"file"` // written when it is done, or begins to wait
}

func compatible(ctx context.Context, view facade.View) error {
	if what, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "compatible-"); ok {
		return do(ctx, config{Does: what})
	}
	if view.MesosVersion() == "0.1.0" {
		return fmt.Errorf("too old, with %d modules: %w", len(view.Modules()), errors.ErrUnsupported)
	}
	return nil
}

type calc struct{ config }

func newCalculator(ctx context.Context, _ facade.Host, p facade.Parameters) (calculator.Calculator, error) {
	c, err := facade.Decode[config](p)
	if err == nil && c.At == "new" {
		err = do(ctx, c)
	}
	return &calc{c}, err
}

func (c *calc) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	if c.At == "call" {
		if err := do(ctx, c.config); err != nil {
			return 0, err
		}
	}
	return int32(a) + int32(b), nil
}

func (c *calc) Close(ctx context.Context) error {
	defer tell(c.File, "closed")
	if c.At == "close" {
		return do(ctx, c.config)
	}
	return nil
}

func tell(file, text string) {
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	if _, err := f.WriteString(text + "\n"); err != nil {
		panic(err)
	}
	_ = f.Close()
}

// errOwn is known to nobody else.
var errOwn = errors.New("an error of its own")

// do does what a module can do.
func do(ctx context.Context, c config) error {
	switch c.Does {
	case "":
	case "fail":
		return fmt.Errorf("the table: %w", errors.Join(fs.ErrNotExist, errOwn))
	case "panic":
		panic("there is no bottom")
	case "panic with an error":
		panic(fmt.Errorf("the table: %w", fs.ErrNotExist))
	case "goexit":
		runtime.Goexit()
	case "wait":
		tell(c.File, "waits")
		<-ctx.Done()
		return fmt.Errorf("given up: %w", ctx.Err())
	case "wait for the deadline":
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) > time.Minute {
			return errors.New("no deadline")
		}
		<-ctx.Done()
		return ctx.Err()
	case "ignore":
		tell(c.File, "waits")
		<-ctx.Done()
		for _, err := os.Stat(c.File + ".go"); err != nil; _, err = os.Stat(c.File + ".go") {
			time.Sleep(5 * time.Millisecond)
		}
	case "hang":
		tell(c.File, "waits")
		select {}
	case "exit":
		fmt.Fprintln(os.Stderr, "I will not go on")
		os.Exit(7)
	case "crash":
		go func() { panic("in the background") }()
		select {}
	case "segfault":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "stop":
		tell(c.File, "waits")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "close descriptors":
		for fd := 3; fd < 64; fd++ {
			_ = syscall.Close(fd)
		}
	case "close every descriptor":
		for fd := 3; fd < 1024; fd++ {
			_ = syscall.Close(fd)
		}
	default:
		return fmt.Errorf("it cannot do %q", c.Does)
	}
	return nil
}

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

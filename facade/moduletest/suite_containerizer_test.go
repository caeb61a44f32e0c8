package moduletest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/shimtest"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// flawed is a right containerizer with some of its methods made wrong.
type flawed struct {
	containerizer.Containerizer
	flaws struct {
		eager, twice, hasty, signals, deaf, strict, refuses, forgets bool
	}
	late sync.WaitGroup // what hasty does
}

func (f *flawed) Supports(ctx context.Context, id *mesosv1.ContainerID, c *slave.ContainerConfig) (bool, error) {
	if f.flaws.refuses {
		return false, nil
	}
	return f.Containerizer.Supports(ctx, id, c)
}

func (f *flawed) Recover(ctx context.Context, states []*slave.ContainerState) (*slave.ContainerRecoverInfo, error) {
	info, err := f.Containerizer.Recover(ctx, states)
	if f.flaws.forgets {
		info.OrphanContainerIds = nil
	}
	return info, err
}

func (f *flawed) Launch(ctx context.Context, id *mesosv1.ContainerID, c *slave.ContainerConfig, l *slave.ContainerLaunchInfo, io *slave.ContainerIO) (int32, error) {
	pid, err := f.Containerizer.Launch(ctx, id, c, l, io)
	if err == nil && f.flaws.eager {
		err = f.Containerizer.Start(ctx, id)
		for !exists(filepath.Join(c.GetDirectory(), "ran")) && c.GetCommandInfo().GetValue() == "touch ran; sleep 1000" {
		}
	}
	return pid, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (f *flawed) Watch(ctx context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerTermination)) error {
	return f.Containerizer.Watch(ctx, id, func(t *slave.ContainerTermination) {
		if f.flaws.signals && t.GetStatus() == 15 {
			t = &slave.ContainerTermination{Status: proto.Int32((128 + 15) << 8)} // as a shell has it
		}
		sink(t)
		if f.flaws.twice {
			sink(t)
		}
	})
}

func (f *flawed) Kill(ctx context.Context, id *mesosv1.ContainerID, signal int32) (bool, error) {
	found, err := f.Containerizer.Kill(ctx, id, signal)
	return found || f.flaws.deaf, err
}

func (f *flawed) Destroy(ctx context.Context, id *mesosv1.ContainerID) error {
	if _, err := f.Status(ctx, id); err != nil && f.flaws.strict {
		return errors.New("there is none")
	}
	if f.flaws.hasty && id.GetValue() == "left" {
		f.late.Go(func() { _ = f.Containerizer.Destroy(context.Background(), id) }) // nobody is told
		return nil
	}
	return f.Containerizer.Destroy(ctx, id)
}

func (f *flawed) Close(ctx context.Context) error {
	f.late.Wait()
	return f.Containerizer.(facade.Closer).Close(ctx)
}

const flawedName = "org_example_containerizer"

// flawedLibrary is the module that ships, with a flaw.
func flawedLibrary(flaw func(*flawed)) facade.Library {
	right := mesos.Library.Modules[0].Declare()
	return facade.Library{Modules: []facade.Declared{facade.Module[containerizer.Containerizer]{
		Name: flawedName, Parameters: right.Parameters,
		New: func(ctx context.Context, host facade.Host, p facade.Parameters) (containerizer.Containerizer, error) {
			made, err := right.New(ctx, host, p)
			if err != nil {
				return nil, err
			}
			f := &flawed{Containerizer: made.(containerizer.Containerizer)}
			flaw(f)
			return f, nil
		},
	}}}
}

func TestContainerizers(t *testing.T) {
	programs := Parameter(flawedName, "launcher_dir", shimtest.Dir(t, shims))

	t.Run("right", func(t *testing.T) { Conformance(t, flawedLibrary(func(*flawed) {}), flawedName, programs) })
	for about, c := range map[string]struct {
		flaw     func(*flawed)
		sentence string
		says     string
	}{
		"one that does not hold": {func(f *flawed) { f.flaws.eager = true },
			"Launch holds the process before it runs anything", "exists"},
		"one that says it twice": {func(f *flawed) { f.flaws.twice = true },
			"Watch returns at once, and its sink is called once", "actual  : 2"},
		"one that does not wait for the end": {func(f *flawed) { f.flaws.hasty = true },
			"Destroy ends all processes, those too that have left their session", "by the time Destroy returns"},
		"one that counts signals like a shell": {func(f *flawed) { f.flaws.signals = true },
			"the status is as wait gives it", "kill -TERM"},
		"one that finds a process always": {func(f *flawed) { f.flaws.deaf = true },
			"Kill reaches the command, and says whether there is one", "it has ended"},
		"one that misses what it has not seen": {func(f *flawed) { f.flaws.strict = true },
			"a launch can end after any call", "there is none"},
		"one that runs nothing": {func(f *flawed) { f.flaws.refuses = true },
			"Supports takes a command, and changes nothing", "Should be true"},
		"one that leaves orphans": {func(f *flawed) { f.flaws.forgets = true },
			"Close lets containers go on, and the next agent recovers them", "should have 1 item"},
	} {
		t.Run(about, func(t *testing.T) {
			text := outcomeOf(t, c.sentence, flawedLibrary(c.flaw), flawedName, programs)
			require.Contains(t, text, c.says)
		})
	}
}

// careless is a logger that is wrong where its flaws say.
type careless struct {
	containerlogger.ContainerLogger
	relative, truncates bool
}

func (l careless) Prepare(ctx context.Context, id *mesosv1.ContainerID, c *slave.ContainerConfig) (*slave.ContainerIO, error) {
	files, err := l.ContainerLogger.Prepare(ctx, id, c)
	if err == nil && l.truncates {
		err = os.Truncate(files.GetOut().GetPath(), 0)
	}
	if err == nil && l.relative {
		files.Out.Path = proto.String("stdout")
	}
	return files, err
}

func TestContainerLoggers(t *testing.T) {
	const name = "org_example_logger"
	library := func(flaw careless) facade.Library {
		return facade.Library{Modules: []facade.Declared{facade.Module[containerlogger.ContainerLogger]{Name: name,
			New: func(ctx context.Context, host facade.Host, p facade.Parameters) (containerlogger.ContainerLogger, error) {
				made, err := sandbox.Library.Modules[0].Declare().New(ctx, host, p)
				each := flaw
				each.ContainerLogger, _ = made.(containerlogger.ContainerLogger)
				return each, err
			}}}}
	}
	const (
		writable = "what Prepare returns can be written to"
		added    = "output is added to what is there"
		many     = "calls for different containers come from any number of goroutines at once"
	)
	requireBroken(t, library(careless{}), name, nil)
	requireBroken(t, library(careless{truncates: true}), name, map[string]string{added: "line"})
	requireBroken(t, library(careless{relative: true}), name, map[string]string{
		writable: "is not absolute", added: "is not absolute", many: "is not absolute"})
}

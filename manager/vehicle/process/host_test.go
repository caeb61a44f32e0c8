package process_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

func TestHost(t *testing.T) {
	m := newFixture().launch(t, build(t, "library"))
	const guest = "org_example_guest"
	modules := []facade.ModuleInfo{{Name: guest, Library: facade.LibraryInfo{Path: "/four"}}}

	t.Run("messages come with level and attributes, in order, before the instance is gone", func(t *testing.T) {
		host := &daemon{book: &book{}, folder: "/state", modules: modules}
		i, err := m.Create(t.Context(), guest, host, nil)
		require.NoError(t, err)
		require.NoError(t, i.Destroy(t.Context()))
		assert.Equal(t, "level=INFO msg=hello who=guest made.folder=/state made.modules=1 made.version=1.12.0\nlevel=INFO msg=goodbye\n", host.book.String())
	})
	t.Run("an error of the daemon's comes across", func(t *testing.T) {
		host := &daemon{book: &book{}}
		i, err := m.Create(t.Context(), guest, host, nil)
		require.NoError(t, err)
		require.NoError(t, i.Destroy(t.Context()))
		assert.Contains(t, host.book.String(), "level=WARN msg=\"no folder\" error=\"no state: file does not exist\"")
	})
	t.Run("what is loaded can be asked, and measures add up", func(t *testing.T) {
		host := &daemon{modules: modules}
		i, err := m.Create(t.Context(), guest, host, nil)
		require.NoError(t, err)
		c := i.Value.(calculator.Calculator)
		for n := range int64(100) {
			length, err := c.Compute(t.Context(), 2, n)
			require.NoError(t, err)
			require.Equal(t, int32(len("/four")), length)
		}
		require.NoError(t, i.Destroy(t.Context()))
		assert.Equal(t, map[string]float64{"calls": 200, "level": 99}, host.measures())
	})
	t.Run("too many messages and measures are bounded", func(t *testing.T) {
		host := &daemon{book: &book{}, modules: modules}
		i, err := m.Create(t.Context(), guest, host, nil)
		require.NoError(t, err)
		_, err = i.Value.(calculator.Calculator).Compute(t.Context(), 'x', 50_000)
		require.NoError(t, err)
		require.NoError(t, i.Destroy(t.Context()))
		assert.Contains(t, host.book.String(), "messages of the module have been lost")
		assert.LessOrEqual(t, strings.Count(host.book.String(), "msg=much"), 50_000)
		assert.Len(t, host.measures(), 1000)
	})
	t.Run("its lifetime ends with the host's, before it is closed", func(t *testing.T) {
		lifetime, end := context.WithCancel(t.Context())
		file := filepath.Join(t.TempDir(), "said")
		i, err := m.Create(t.Context(), guest, &daemon{lifetime: lifetime, modules: modules}, parameters("file", file))
		require.NoError(t, err)
		end()
		awaitText(t, file, "over\n")
		require.NoError(t, i.Destroy(t.Context()))
		awaitText(t, file, "over\nclosed\n")
	})
	t.Run("and else with the instance", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "said")
		i, err := m.Create(t.Context(), guest, &daemon{modules: modules}, parameters("file", file))
		require.NoError(t, err)
		require.NoError(t, i.Destroy(t.Context()))
		awaitText(t, file, "closed\nover\n")
	})
}

// What a process prints is logged, under its module where there is one only.
func TestPrints(t *testing.T) {
	x := newFixture()
	m := x.launch(t, build(t, "prints"))
	create[calculator.Calculator](t, m, module, &daemon{})
	require.NoError(t, m.Close())
	said := x.said.String()
	assert.Contains(t, said, "level=INFO msg=\"this is standard output\" library="+build(t, "prints")+" stream=stdout")
	assert.Contains(t, said, "level=WARN msg=\"this is standard error\" library="+build(t, "prints")+" stream=stderr module="+module)
}

// Modules in one process that require modules in another: calls go through the daemon.
func TestRequirements(t *testing.T) {
	x := newFixture()
	program := build(t, "library")
	first, second := x.launch(t, program), x.launch(t, program)
	modules := []facade.ModuleInfo{{Name: module, Role: "Calculator"}, {Name: "org_example_detector", Role: "MasterDetector"}}

	// forwarder makes the module in the first process that asks one in the second.
	forwarder := func(t *testing.T, required vehicle.Library, p ...string) (calculator.Calculator, vehicle.Mortal) {
		c := create[calculator.Calculator](t, required, module, &daemon{}, p...)
		host := &daemon{modules: modules, byName: map[string]any{module: c},
			byRole: map[reflect.Type][]any{reflect.TypeFor[calculator.Calculator](): {c, create[calculator.Calculator](t, required, module, &daemon{})}}}
		return create[calculator.Calculator](t, first, "org_example_forwarder", host), first
	}

	t.Run("calls, by name and by role", func(t *testing.T) {
		f, _ := forwarder(t, second)
		n, err := f.Compute(t.Context(), 0, 1)
		require.NoError(t, err)
		assert.Equal(t, int32(111), n)
	})
	t.Run("errors keep their identity over two processes", func(t *testing.T) {
		f, _ := forwarder(t, second, "does", "fail")
		_, err := f.Compute(t.Context(), 0, 1)
		require.ErrorIs(t, err, fs.ErrNotExist)
		assert.EqualError(t, err, "forwarded: the table: file does not exist\nan error of its own")
	})
	t.Run("a panic over there is one here", func(t *testing.T) {
		f, _ := forwarder(t, second, "does", "panic")
		o := of(func() (int32, error) { return f.Compute(t.Context(), 0, 1) })
		assert.Equal(t, outcome{Panicked: true, Says: "there is no bottom"}, o)
	})
	t.Run("so are cancelling and deadlines", func(t *testing.T) {
		f, _ := forwarder(t, second, "does", "wait for the deadline")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := f.Compute(ctx, 0, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		file := filepath.Join(t.TempDir(), "said")
		f, _ = forwarder(t, second, "does", "wait", "file", file)
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		go func() {
			defer cancel()
			awaitText(t, file, "waits\n")
		}()
		_, err = f.Compute(ctx, 0, 1)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("streams", func(t *testing.T) {
		d := create[masterdetector.MasterDetector](t, second, "org_example_detector", &daemon{})
		host := &daemon{modules: modules, byName: map[string]any{"org_example_detector": d}}
		relay := create[masterdetector.MasterDetector](t, first, "org_example_relay", host)

		file := filepath.Join(t.TempDir(), "said")
		ctx, cancel := context.WithCancel(t.Context())
		id := "m"
		heard := make(chan string, 3)
		sink := func(now *leadership.Leadership) { heard <- now.GetLeader().GetId() }
		self := &mesosv1.MasterInfo{Id: &id, Hostname: &file, Ip: new(uint32), Port: new(uint32)}
		require.NoError(t, relay.Detect(ctx, self, sink))
		for i := range 3 {
			assert.Equal(t, fmt.Sprint("m", i), <-heard)
		}
		cancel()
		awaitText(t, file, "over\n")
		require.ErrorIs(t, relay.Detect(t.Context(), nil, sink), fs.ErrInvalid)
	})
	t.Run("one that is not handed in", func(t *testing.T) {
		_, err := first.Create(t.Context(), "org_example_forwarder", &daemon{}, nil)
		require.ErrorContains(t, err, `module "org_example_calculator" is not handed in`)
	})
	t.Run("the process of the required one ends in a call", func(t *testing.T) {
		victim := x.launch(t, program)
		f, asker := forwarder(t, victim, "does", "killed")
		_, err := f.Compute(t.Context(), 0, 1)
		var g *vehicle.GoneError
		require.ErrorAs(t, err, &g)
		assert.Equal(t, victim.PID(), g.PID)
		assert.Equal(t, module, g.Module)
		assert.Equal(t, vehicle.EndSignaled, g.End)
		assert.Nil(t, asker.Cause(), "who asked lives on")
	})
}

package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

// mapped reports whether a file is in the memory of this process.
func mapped(t testing.TB, path string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	return bytes.Contains(maps, []byte(path))
}

func create(t testing.TB, l vehicle.Library, h facade.Host, module string, p ...facade.Parameter) vehicle.Instance {
	t.Helper()
	x, err := l.Create(context.Background(), module, h, p)
	require.NoError(t, err)
	return x
}

func TestOpen(t *testing.T) {
	ctx := context.Background()

	t.Run("gives the seed's answer and the memory back, in every C++", func(t *testing.T) {
		for _, name := range []string{"seed11.so", "seed14.so", "seed17.so", "seed20.so", "stripped.so", "seed-by-gcc.so", "lambda11.so", "lambda17.so"} {
			t.Run(name, func(t *testing.T) {
				v, f := New(), look(t, name)
				d := recognise(t, v, f)
				if !d.Complete {
					var err error
					d, err = v.Describe(f, d)
					require.NoError(t, err)
				}
				l, err := v.Open(ctx, f, d)
				require.NoError(t, err)
				x := create(t, l, newTestHost(t), d.Modules[0].Name)
				n, err := x.Value.(calculator.Calculator).Compute(ctx, 'A', 10)
				require.NoError(t, err)
				assert.EqualValues(t, 75, n)
				require.NoError(t, x.Destroy(ctx))
				assert.True(t, mapped(t, f.Path))
				assert.True(t, l.Unloads())
				require.NoError(t, l.Close())
				assert.False(t, mapped(t, f.Path))
				assert.True(t, l.Unloads())
				require.NoError(t, l.Close(), "closing twice is closing once")
			})
		}
	})
	t.Run("two libraries at a time in both orders are both given back", func(t *testing.T) {
		for _, order := range [][]string{{"seed14.so", "seed20.so"}, {"seed20.so", "seed14.so"}} {
			v := New()
			var all []vehicle.Library
			for _, name := range order {
				f := look(t, name)
				l, err := v.Open(ctx, f, recognise(t, v, f))
				require.NoError(t, err)
				all = append(all, l)
			}
			for i, l := range all {
				require.NoError(t, l.Close())
				assert.False(t, mapped(t, filepath.Join(libraries, order[i])), "%v", order)
			}
		}
	})
	t.Run("says that a library asks to stay", func(t *testing.T) {
		v, f := New(), look(t, "stays.so")
		l, err := v.Open(ctx, f, recognise(t, v, f))
		require.NoError(t, err)
		assert.False(t, l.Unloads())
		require.NoError(t, l.Close())
		assert.False(t, l.Unloads())
		assert.True(t, mapped(t, f.Path))
	})
	t.Run("keeps the loader's own words", func(t *testing.T) {
		v := New()
		_, err := v.Open(ctx, look(t, "undefined.so"), vehicle.Description{})
		var refusal *vehicle.Refusal
		require.ErrorAs(t, err, &refusal)
		assert.Equal(t, finding.LibraryOpens, refusal.Rule)
		assert.Contains(t, refusal.Problem, "undefined symbol: defined_nowhere")
	})
	t.Run("refuses a library that does not say what it said, and lets go of it", func(t *testing.T) {
		v, f := New(), look(t, "seed17.so")
		for _, c := range []struct {
			change func(d *vehicle.Description)
			want   string
		}{
			{func(d *vehicle.Description) { d.Modules[0].Version = "9.9.9" }, `module "example" has changed: Version`},
			{func(d *vehicle.Description) { d.Modules = d.Modules[1:] }, `module "returns_null" is now "example"`},
			{func(d *vehicle.Description) { d.Modules = append(d.Modules, vehicle.Module{Name: "zero"}) }, "it has 3 modules, and 4 were described"},
		} {
			d := recognise(t, v, f)
			c.change(&d)
			_, err := v.Open(ctx, f, d)
			require.ErrorContains(t, err, c.want)
			assert.False(t, mapped(t, f.Path))
		}
	})
	t.Run("refuses what is no native library", func(t *testing.T) {
		_, err := New().Open(ctx, look(t, "plugin.so"), vehicle.Description{})
		require.ErrorContains(t, err, "is a Go plugin")
		_, err = New().Open(ctx, vehicle.File{Path: "/nowhere"}, vehicle.Description{})
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = New().Open(ctx, content(t, []byte("#!")), vehicle.Description{})
		require.ErrorContains(t, err, "it is a script")
	})
	t.Run("runs nothing for a context that has ended", func(t *testing.T) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err := New().Open(ended, look(t, "null.so"), vehicle.Description{})
		require.ErrorIs(t, err, context.Canceled)
		l := openLibrary(t, New(), "behave.so")
		_, err = l.Create(ended, "segv", newTestHost(t), nil)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, l.Compatible(ended, "good", view{}), context.Canceled)
	})
	t.Run("opens libraries from many goroutines", func(t *testing.T) {
		v := New()
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				l := openLibrary(t, v, []string{"seed14.so", "seed17.so", "behave.so"}[i%3])
				assert.NoError(t, l.Close())
			})
		}
		all.Wait()
		assert.False(t, mapped(t, filepath.Join(libraries, "behave.so")))
	})
}

func TestCreate(t *testing.T) {
	ctx := context.Background()
	l := openLibrary(t, New(), "behave.so")

	for _, c := range []struct{ module, want string }{
		{"null", `module "null": the constructor made no instance and gave no reason`},
		{"reason", `module "reason": the constructor made no instance: no disk left  [31m in reason`},
		{"endless", `module "endless": the constructor made no instance: ` + strings.Repeat("x", 1016)},
		{"wrong_role", `module "wrong_role" is declared for role Calculator, and its object has the table of role TestModule`},
		{"garbage", `module "garbage" of role Calculator: `},
		{"no_table", `module "no_table" of role Calculator: the object does not begin with a role's table`},
		{"not_a_table", `module "not_a_table" of role Calculator: what the object begins with is no role's table`},
		{"odd_role", `module "odd_role" of role Calculator: the object's table cannot be read: its role is not UTF-8`},
		{"nowhere", `module "nowhere" of role Calculator: the object does not begin with a role's table`},
		{"unknown", `has no module "unknown"`},
	} {
		t.Run("names what is wrong with "+c.module, func(t *testing.T) {
			x, err := l.Create(ctx, c.module, newTestHost(t), nil)
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, x.Value)
			assert.Nil(t, x.Destroy)
		})
	}
	t.Run("hands C++ exceptions on", func(t *testing.T) {
		cxx := openLibrary(t, New(), "seed17.so")
		_, err := cxx.Create(ctx, "throws", newTestHost(t), nil)
		require.ErrorContains(t, err, `module "throws": the constructor made no instance: no disk left`)
		_, err = cxx.Create(ctx, "returns_null", newTestHost(t), nil)
		require.ErrorContains(t, err, "create returned null")
	})
	t.Run("refuses a parameter that C cannot carry", func(t *testing.T) {
		_, err := l.Create(ctx, "good", newTestHost(t), facade.Parameters{{Key: "a", Value: "b\x00c"}})
		require.ErrorContains(t, err, `module "good": parameter "a" holds a NUL character`)
	})
	t.Run("gives the module parameters, folder, context, view and log", func(t *testing.T) {
		h := newTestHost(t)
		h.modules = []facade.ModuleInfo{
			{Name: "a", Role: "Calculator", Version: "1.0.0", Library: facade.LibraryInfo{Path: "/lib/a.so", MesosVersion: "1.11.0"}},
			{Name: "b", Role: "TestModule", Library: facade.LibraryInfo{MesosVersion: "1.12.0"}},
		}
		limited, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		x, err := l.Create(limited, "says", h, facade.Parameters{{Key: "k", Value: "v"}, {Key: "k", Value: ""}, {Key: "größe", Value: "a=b"}})
		require.NoError(t, err)
		require.NoError(t, x.Destroy(ctx))
		assert.Equal(t, []string{
			"INFO k=v", "INFO k=", "INFO größe=a=b",
			"WARN module says, state " + h.dir + ", folder 1",
			"DEBUG cancelled 0, deadline 1, lifetime cancelled 0",
			"ERROR beside a Calculator 1.0.0 /lib/a.so 1.11.0 of 1.12.0",
			"ERROR beside b TestModule   1.12.0 of 1.12.0",
			"INFO no level", "INFO X unknown",
			"INFO last words",
		}, h.logged())
	})
	t.Run("goes on without a state folder", func(t *testing.T) {
		h := newTestHost(t)
		h.dirError = errors.New("there is no work_dir")
		x := create(t, l, h, "says")
		require.NoError(t, x.Destroy(ctx))
		assert.Contains(t, h.logged(), "DEBUG the module gets no state folder")
		assert.Contains(t, h.logged(), "WARN module says, state , folder 0")
	})
	t.Run("is not held up by a module that logs more than anybody reads", func(t *testing.T) {
		h := newTestHost(t)
		gate := make(chan struct{})
		h.before = func() { <-gate } // nobody reads before the constructor has returned
		x := create(t, l, h, "floods")
		close(gate)
		require.NoError(t, x.Destroy(ctx))
		require.NotEmpty(t, h.logged())
		for _, line := range h.logged() {
			require.Equal(t, "INFO a message that is repeated much more often than a pipe can hold", line)
		}
	})
	t.Run("tells a constructor that nobody waits for it any more", func(t *testing.T) {
		h := newTestHost(t)
		limited, cancel := context.WithCancel(ctx)
		defer cancel()
		h.before = cancel // when it says that it waits
		_, err := l.Create(limited, "waits", h, nil)
		require.ErrorContains(t, err, "made no instance: told to stop")
	})
	t.Run("tells the instance when the daemon's teardown begins", func(t *testing.T) {
		h := newTestHost(t)
		var end context.CancelFunc
		h.lifetime, end = context.WithCancel(ctx)
		x := create(t, l, h, "good")
		compute := func() int32 {
			n, err := x.Value.(calculator.Calculator).Compute(ctx, 0, -1)
			require.NoError(t, err)
			return n
		}
		assert.EqualValues(t, 0, compute())
		end()
		require.Eventually(t, func() bool { return compute() == 1 }, time.Minute, time.Millisecond)
		require.NoError(t, x.Destroy(ctx))
	})
	t.Run("makes as many instances as are asked for, also at the same time", func(t *testing.T) {
		h := newTestHost(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				x, err := l.Create(ctx, "good", h, nil)
				if assert.NoError(t, err) {
					assert.NoError(t, x.Destroy(ctx))
				}
			})
		}
		all.Wait()
	})
}

func TestDestroy(t *testing.T) {
	ctx := context.Background()
	t.Run("hands on what went wrong, once", func(t *testing.T) {
		l := openLibrary(t, New(), "behave.so")
		x := create(t, l, newTestHost(t), "destroy_fails")
		require.EqualError(t, x.Destroy(ctx), `module "destroy_fails": the destructor failed: the disk is full`)
		require.ErrorContains(t, x.Destroy(ctx), "was destroyed before")
		x = create(t, l, newTestHost(t), "destroy_fails_silently")
		require.EqualError(t, x.Destroy(ctx), `module "destroy_fails_silently": the destructor failed and gave no reason`)
	})
	t.Run("works with a context that has ended", func(t *testing.T) {
		l := openLibrary(t, New(), "behave.so")
		x := create(t, l, newTestHost(t), "good")
		ended, cancel := context.WithCancel(ctx)
		cancel()
		require.NoError(t, x.Destroy(ended))
	})
	t.Run("comes before the library can be closed", func(t *testing.T) {
		v, f := New(), look(t, "behave.so")
		l, err := v.Open(ctx, f, recognise(t, v, f))
		require.NoError(t, err)
		x := create(t, l, newTestHost(t), "good")
		require.ErrorContains(t, l.Close(), "stays open: 1 instances or calls")
		n, err := x.Value.(calculator.Calculator).Compute(ctx, 1, 2)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n)
		require.NoError(t, x.Destroy(ctx))
		require.NoError(t, l.Close())
		_, err = l.Create(ctx, "good", newTestHost(t), nil)
		require.ErrorContains(t, err, "has been closed")
		require.ErrorContains(t, l.Compatible(ctx, "good", view{}), "has been closed")
	})
}

func TestCompatible(t *testing.T) {
	ctx := context.Background()
	l := openLibrary(t, New(), "behave.so")
	loaded := view{modules: []facade.ModuleInfo{{Name: "first", Version: "2.1.0"}, {Name: "second"}}}
	require.NoError(t, l.Compatible(ctx, "good", loaded))
	require.EqualError(t, l.Compatible(ctx, "null", loaded), "the module's own check refuses and gives no reason")
	require.EqualError(t, l.Compatible(ctx, "reason", loaded), "2 modules, first first 2.1.0 in Mesos 1.12.0")
	require.EqualError(t, l.Compatible(ctx, "reason", view{}), "0 modules, first none  in Mesos 1.12.0")
	require.ErrorContains(t, l.Compatible(ctx, "endless", loaded), "declares no compatibility check")
	require.ErrorContains(t, l.Compatible(ctx, "unknown", loaded), `has no module "unknown"`)
}

func TestCodeLabel(t *testing.T) {
	assert.Equal(t, "code of library /l.so", codeLabel("/l.so", nil))
	assert.Equal(t, "module a, code of library /l.so", codeLabel("/l.so", []vehicle.Module{{Name: "a"}}))
	assert.Equal(t, "one of the modules a, b, code of library /l.so", codeLabel("/l.so", []vehicle.Module{{Name: "a"}, {Name: "b"}}))
}

func TestMemory(t *testing.T) {
	text := []byte("hello")
	address := uint64(uintptr(unsafe.Pointer(&text[0])))
	t.Run("is read where it can be", func(t *testing.T) {
		assert.Equal(t, text, newProcess(0).Read(address, 5))
		assert.Equal(t, text[1:], newProcess(address).Read(1, 4))
	})
	t.Run("gives nothing elsewhere", func(t *testing.T) {
		assert.Nil(t, newProcess(0).Read(16, 8))
		assert.Nil(t, newProcess(0).Read(^uint64(0)-3, 8))
		_, _, ok := newProcess(0).Pointer(16)
		assert.False(t, ok)
	})
}

func BenchmarkHundredLibraries(b *testing.B) {
	ctx, h := context.Background(), newTestHost(b)
	var files []vehicle.File
	original := bytesOf(b, "seed17.so")
	dir := b.TempDir()
	for i := range 100 {
		path := filepath.Join(dir, fmt.Sprintf("lib%d.so", i))
		require.NoError(b, os.WriteFile(path, original, 0o600))
		files = append(files, vehicle.File{Path: path, Size: int64(len(original))})
	}
	for b.Loop() {
		v := New()
		var open []vehicle.Library
		var instances []vehicle.Instance
		for _, f := range files {
			l, err := v.Open(ctx, f, recognise(b, v, f))
			require.NoError(b, err)
			open = append(open, l)
			instances = append(instances, create(b, l, h, "example"))
		}
		for _, x := range slices.Backward(instances) {
			require.NoError(b, x.Destroy(ctx))
		}
		for _, l := range slices.Backward(open) {
			require.NoError(b, l.Close())
		}
	}
}

func TestContextInC(t *testing.T) {
	t.Run("has a deadline centuries away as the latest there is", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC))
		defer cancel()
		x := newContext(ctx)
		defer x.free()
		assert.EqualValues(t, math.MaxInt64, x.c.deadline_ns)
	})
}

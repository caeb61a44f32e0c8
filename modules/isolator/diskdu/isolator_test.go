package diskdu

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/roles/isolator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	module := Library.Modules[0].Declare()
	fmt.Println(module.Name, Word, OldWord)
	for _, p := range module.Parameters.Specs() {
		fmt.Println(p.Key, p.Type)
	}
	// Output:
	// org_apache_mesos_DiskDuIsolator disk/du posix/disk
	// container_disk_watch_interval duration
	// enforce_container_disk_quota bool
	// work_dir string
	// workers int
}

func id(values ...string) *mesosv1.ContainerID {
	var out *mesosv1.ContainerID
	for _, v := range values {
		out = &mesosv1.ContainerID{Value: proto.String(v), Parent: out}
	}
	return out
}

func disk(megabytes float64) *mesosv1.Resource {
	return &mesosv1.Resource{Name: proto.String("disk"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &megabytes}}
}

func volume(megabytes float64, id, path string) *mesosv1.Resource {
	r := disk(megabytes)
	r.Reservations = []*mesosv1.Resource_ReservationInfo{{Role: proto.String("eng/web")}}
	r.Disk = &mesosv1.Resource_DiskInfo{Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: &id},
		Volume: &mesosv1.Volume{ContainerPath: &path, Mode: mesosv1.Volume_RW.Enum()}}
	return r
}

func launch(directory string, resources ...*mesosv1.Resource) *slave.ContainerConfig {
	return &slave.ContainerConfig{Directory: &directory, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true")}, Resources: resources}
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, Library, Name, moduletest.Parameter(Name, "enforce_container_disk_quota", "true"))
}

// On a real disk: what is written is measured, told, and held against the quota.
func TestRealDisk(t *testing.T) {
	kit := moduletest.New(t, Library, moduletest.Parameter(Name, "container_disk_watch_interval", "20ms"),
		moduletest.Parameter(Name, "enforce_container_disk_quota", "true"))
	i := moduletest.Load[isolator.Isolator](kit, Name)
	sandbox := t.TempDir()
	_, err := i.Prepare(t.Context(), id("c"), launch(sandbox, disk(1), disk(1)))
	require.NoError(t, err)
	said := make(chan *slave.ContainerLimitation, 2)
	require.NoError(t, i.Watch(t.Context(), id("c"), func(l *slave.ContainerLimitation) { said <- l }))
	write(t, sandbox+"/within", 1<<20)
	require.Eventually(t, func() bool {
		use, err := i.Usage(t.Context(), id("c"))
		return err == nil && use.GetDiskUsedBytes() >= 1<<20
	}, 10*time.Second, 5*time.Millisecond)
	assert.Empty(t, said)
	write(t, sandbox+"/beyond", 1<<20)
	l := <-said
	assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_DISK, l.GetReason())
	assert.Equal(t, fmt.Sprintf("Disk usage (%dKB) exceeds quota (2MB)", du(t, sandbox)>>10), l.GetMessage())
	assert.Len(t, l.GetResources(), 2)
	use, err := i.Usage(t.Context(), id("c"))
	require.NoError(t, err)
	assert.EqualValues(t, 2<<20, use.GetDiskLimitBytes())
	assert.Equal(t, du(t, sandbox), use.GetDiskUsedBytes())
	require.NoError(t, i.Cleanup(t.Context(), id("c")))
	exceeded, _ := kit.Metric(Name, "exceeded")
	assert.Equal(t, 1.0, exceeded)
}

// world is an isolator on a disk that is made up.
type world struct {
	*meter
	log *book

	lock     sync.Mutex
	used     map[string]uint64
	errs     map[string]error
	excluded map[string][]string
	said     []*slave.ContainerLimitation
}

// takes says what a folder does from now on.
func (w *world) takes(path string, used uint64, err error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.used[path], w.errs[path] = used, err
}

func made(t *testing.T, name string, enforce bool, test func(t *testing.T, w *world)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{used: map[string]uint64{}, errs: map[string]error{}, excluded: map[string][]string{}, log: &book{}}
			w.meter = newIsolator(config{
				interval: 10 * time.Second, enforce: enforce, workDir: "/work", workers: 1, log: logger(w.log),
				measured: nobody{}, failed: nobody{}, exceeded: nobody{},
				measure: func(_ context.Context, root string, excluded []string) (uint64, error) {
					w.lock.Lock()
					defer w.lock.Unlock()
					w.excluded[root] = excluded
					return w.used[root], w.errs[root]
				},
			})
			test(t, w)
			require.NoError(t, w.Close(t.Context()))
		})
	})
}

func (w *world) sink(l *slave.ContainerLimitation) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.said = append(w.said, l)
}

func (w *world) told() []*slave.ContainerLimitation {
	w.lock.Lock()
	defer w.lock.Unlock()
	return slices.Clone(w.said)
}

// seen is what was measured, with what was left out.
func (w *world) seen() map[string][]string {
	w.lock.Lock()
	defer w.lock.Unlock()
	return maps.Clone(w.excluded)
}

// round lets everything be measured once.
func round() {
	<-time.After(11 * time.Second)
	synctest.Wait()
}

func TestIsolator(t *testing.T) {
	ctx := context.Background()
	made(t, "a quota that is not enforced is told only", false, func(t *testing.T, w *world) {
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(1)))
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		w.takes("/s", 5<<20, nil)
		round()
		use, err := w.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.EqualValues(t, 5<<20, use.GetDiskUsedBytes())
		assert.EqualValues(t, 1<<20, use.GetDiskLimitBytes())
		assert.Empty(t, w.told())
	})
	made(t, "one that is enforced is broken once", true, func(t *testing.T, w *world) {
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(1)))
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		w.takes("/s", 1<<20, nil)
		round()
		assert.Empty(t, w.told(), "all of it may be used")
		w.takes("/s", 1<<20+1, nil)
		round()
		round()
		require.Len(t, w.told(), 1)
		assert.Equal(t, "Disk usage (1048577B) exceeds quota (1MB)", w.told()[0].GetMessage())
	})
	made(t, "what is found before somebody watches is not lost", true, func(t *testing.T, w *world) {
		w.takes("/s", 5<<20, nil)
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(1)))
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		assert.Len(t, w.told(), 1)
		round()
		assert.Len(t, w.told(), 1)
	})
	made(t, "without disk there is no quota", true, func(t *testing.T, w *world) {
		w.takes("/s", 5<<20, nil)
		_, err := w.Prepare(ctx, id("c"), launch("/s"))
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		round()
		use, err := w.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.Nil(t, use.DiskLimitBytes)
		assert.EqualValues(t, 5<<20, use.GetDiskUsedBytes())
		assert.Empty(t, w.told())
	})
	made(t, "Update is heard at once", true, func(t *testing.T, w *world) {
		w.takes("/s", 5<<20, nil)
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(8)))
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		synctest.Wait()
		require.NoError(t, w.Update(ctx, id("c"), []*mesosv1.Resource{disk(4)}, nil))
		synctest.Wait()
		require.Len(t, w.told(), 1)
		assert.Equal(t, "Disk usage (5MB) exceeds quota (4MB)", w.told()[0].GetMessage())
	})
	made(t, "when the container ends, nothing is said any more", true, func(t *testing.T, w *world) {
		life, end := context.WithCancel(ctx)
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(1)))
		require.NoError(t, err)
		require.NoError(t, w.Watch(life, id("c"), w.sink))
		end()
		w.takes("/s", 5<<20, nil)
		round()
		assert.Empty(t, w.told())
		require.NoError(t, w.Cleanup(ctx, id("c")))
		use, err := w.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.Nil(t, use)
	})
	made(t, "a folder that cannot be measured is said once, and the last figure stands", true, func(t *testing.T, w *world) {
		w.takes("/s", 5<<20, nil)
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(8)))
		require.NoError(t, err)
		synctest.Wait()
		w.takes("/s", 0, errors.New("the disk has gone"))
		round()
		round()
		assert.Equal(t, 1, strings.Count(w.log.String(), "the disk has gone"))
		use, err := w.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.EqualValues(t, 5<<20, use.GetDiskUsedBytes())
		w.takes("/s", 5<<20, nil)
		round()
		w.takes("/s", 0, errors.New("the disk has gone"))
		round()
		assert.Equal(t, 2, strings.Count(w.log.String(), "the disk has gone"), "it was well in between")
	})
	made(t, "who moves folders about is not let off", true, func(t *testing.T, w *world) {
		w.takes("/s", 5<<20, fmt.Errorf("measure: %w", errMoved))
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(4)))
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		round()
		assert.Len(t, w.told(), 1)
	})
	made(t, "recovered containers are taken up, one after another; orphans and nested ones are not", true, func(t *testing.T, w *world) {
		var states []*slave.ContainerState
		for _, one := range []string{"a", "b"} {
			states = append(states, &slave.ContainerState{ContainerId: id(one), Directory: proto.String("/" + one), Pid: proto.Uint64(1),
				ExecutorInfo: &mesosv1.ExecutorInfo{Resources: []*mesosv1.Resource{disk(1)}}})
		}
		states = append(states, &slave.ContainerState{ContainerId: id("a", "nested"), Directory: proto.String("/a/nested"), Pid: proto.Uint64(1)})
		w.takes("/a", 2<<20, nil)
		w.takes("/b", 3<<20, nil)
		require.NoError(t, w.Recover(ctx, states, []*mesosv1.ContainerID{id("orphan")}))
		require.NoError(t, w.Watch(ctx, id("a"), w.sink))
		require.NoError(t, w.Watch(ctx, id("b"), w.sink))
		synctest.Wait()
		assert.Len(t, w.seen(), 1, "the others are not due")
		round()
		assert.Len(t, w.seen(), 2)
		assert.Empty(t, w.told(), "what they were given is not known yet")
		require.NoError(t, w.Update(ctx, id("a"), []*mesosv1.Resource{disk(4)}, nil))
		require.NoError(t, w.Update(ctx, id("b"), []*mesosv1.Resource{disk(2)}, nil))
		round()
		require.Len(t, w.told(), 1)
		assert.Equal(t, "Disk usage (3MB) exceeds quota (2MB)", w.told()[0].GetMessage())
		require.NoError(t, w.Cleanup(ctx, id("orphan")))
	})
}

func TestVolumes(t *testing.T) {
	ctx := context.Background()
	made(t, "each has a quota and figures of its own, and is not part of the sandbox", true, func(t *testing.T, w *world) {
		const v1, v2 = "/work/volumes/roles/eng web/v1", "/mnt/disk/volumes/roles/eng web/v2"
		second := volume(4, "v2", "data/two")
		second.Disk.Source = &mesosv1.Resource_DiskInfo_Source{Type: mesosv1.Resource_DiskInfo_Source_PATH.Enum(),
			Path: &mesosv1.Resource_DiskInfo_Source_Path{Root: proto.String("/mnt/disk")}}
		w.takes("/s", 1, nil)
		w.takes(v1, 2, nil)
		w.takes(v2, 3, nil)
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(1), volume(2, "v1", "one"), second))
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		round()
		assert.Equal(t, []string{"one", "data/two"}, w.seen()["/s"])
		use, err := w.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.EqualValues(t, 1, use.GetDiskUsedBytes())
		var all []string
		for _, s := range use.GetDiskStatistics() {
			all = append(all, fmt.Sprint(s.GetPersistence().GetId(), " ", s.GetSource().GetType(), " ", s.GetUsedBytes(), "/", s.GetLimitBytes()))
		}
		assert.Equal(t, []string{" UNKNOWN 1/1048576", "v1 UNKNOWN 2/2097152", "v2 PATH 3/4194304"}, all)

		w.takes(v2, 5<<20, nil)
		round()
		require.Len(t, w.told(), 1)
		assert.Equal(t, "v2", w.told()[0].GetResources()[0].GetDisk().GetPersistence().GetId())

		require.NoError(t, w.Update(ctx, id("c"), []*mesosv1.Resource{disk(1), volume(2, "v1", "one")}, nil))
		use, err = w.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.Len(t, use.GetDiskStatistics(), 2, "the other is not the container's any more")
		assert.EqualValues(t, 2, use.GetDiskStatistics()[1].GetUsedBytes(), "what was known stays known")
	})
	made(t, "one that cannot be found is said, and the rest is measured", true, func(t *testing.T, w *world) {
		bad := volume(1, "../../etc", "v")
		raw := volume(1, "raw", "r")
		raw.Disk.Source = &mesosv1.Resource_DiskInfo_Source{Type: mesosv1.Resource_DiskInfo_Source_BLOCK.Enum()}
		_, err := w.Prepare(ctx, id("c"), launch("/s", disk(1), bad, raw))
		require.NoError(t, err)
		round()
		assert.Contains(t, w.log.String(), "its id is no name for a folder")
		assert.Contains(t, w.log.String(), "its disk is of type BLOCK")
		assert.Len(t, w.seen(), 1)
	})
}

func TestCallsOutOfPlace(t *testing.T) {
	i := moduletest.Load[isolator.Isolator](moduletest.New(t, Library), Name)
	require.ErrorContains(t, i.Watch(t.Context(), id("nobody"), nil), "nobody is not known")
	require.ErrorContains(t, i.Update(t.Context(), id("nobody"), nil, nil), "nobody is not known")
	require.NoError(t, i.Cleanup(t.Context(), id("nobody")))
}

func TestParameters(t *testing.T) {
	for key, values := range map[string][]string{
		"container_disk_watch_interval": {"0ns", "soon"}, "workers": {"0", "-1"}, "enforce_container_disk_quota": {"perhaps"}, "interval": {"1secs"},
	} {
		for _, value := range values {
			_, err := moduletest.TryLoad[isolator.Isolator](moduletest.New(t, Library, moduletest.Parameter(Name, key, value)), Name)
			assert.ErrorContains(t, err, key, value)
		}
	}
}

// A thousand sandboxes cost next to nothing.
func BenchmarkContainers(b *testing.B) {
	base := b.TempDir()
	var roots []string
	for n := range 1000 {
		roots = append(roots, filepath.Join(base, fmt.Sprint(n)))
		require.NoError(b, os.Mkdir(roots[n], 0o755))
		for _, name := range []string{"stdout", "stderr", "data"} {
			write(b, filepath.Join(roots[n], name), 10)
		}
	}
	for b.Loop() {
		for _, root := range roots {
			_, err := measure(b.Context(), root, nil)
			require.NoError(b, err)
		}
	}
}

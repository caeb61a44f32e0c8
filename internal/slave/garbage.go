package slave

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/slave/gc"
	"github.com/mesos-modules/mms/internal/slave/paths"
)

// leftovers shows sandboxes for as long as they are there: attached when an executor
// is launched, detached when its sandbox has been deleted. It may be used from any
// goroutine.
type leftovers struct {
	collector *gc.Collector
	files     *files.Files
	log       *slog.Logger

	// allowed says who may read a sandbox.
	allowed func(*mesosv1.FrameworkInfo, *mesosv1.ExecutorInfo) files.Authorize
}

// Collect implements Garbage.
func (l *leftovers) Collect(path string, old bool) {
	since := time.Now()
	if old {
		info, err := os.Lstat(path)
		if err != nil {
			return // it is gone already
		}
		since = info.ModTime()
	}
	err := l.collector.Schedule(path, since, func(err error) {
		if err == nil {
			l.detach(path)
		}
	})
	if err != nil {
		l.log.Error(fmt.Sprintf("%s will not be deleted: %v", path, err))
	}
}

// Keep implements Garbage.
func (l *leftovers) Keep(path string) { l.collector.Unschedule(path) }

// Attach implements Sandboxes: a sandbox is seen under its own path, under that of the
// latest run, and under one without the agent's id.
func (l *leftovers) Attach(framework *mesosv1.FrameworkInfo, executor *mesosv1.ExecutorInfo, _ *mesosv1.ContainerID, directory string) {
	names := []string{
		directory,
		filepath.Join(filepath.Dir(directory), paths.Latest),
		strings.Join([]string{"/frameworks", framework.GetId().GetValue(), "executors", executor.GetExecutorId().GetValue(), "runs", paths.Latest}, "/"),
	}
	for _, name := range names {
		l.files.Attach(name, directory, l.allowed(framework, executor))
	}
}

// detach takes the names away of what was in a folder that has been deleted. A name
// that another run has taken over stays.
func (l *leftovers) detach(folder string) {
	for _, pair := range l.files.Attached() {
		if pair.Real == folder || strings.HasPrefix(pair.Real, folder+"/") {
			l.files.Detach(pair.Virtual)
		}
	}
}

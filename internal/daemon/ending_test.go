package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/report"
)

func TestEnding(t *testing.T) {
	a := lifecycle.Header{Phase: lifecycle.Teardown, Module: "a"}
	closed := lifecycle.StepEnded{Header: a, Step: "close", Duration: time.Second}
	t.Run("says of an instance whose process was gone that it was closed with it", func(t *testing.T) {
		e := &ending{}
		for _, event := range []lifecycle.Event{
			lifecycle.Notice{Header: lifecycle.Header{Phase: lifecycle.Verify, Module: "a"}, Text: "of another phase"},
			lifecycle.Notice{Header: lifecycle.Header{Phase: lifecycle.Teardown}, Text: "of no module"},
			lifecycle.Notice{Header: a, Text: "its process was gone"}, closed,
		} {
			e.observe(event)
		}
		r := e.report("mesos-slave", []manager.LibraryStatus{{Path: "/opt/liba", Ended: manager.LibraryEnd{Outcome: manager.LibraryClosed, Why: "its process was gone"}}})
		assert.Equal(t, []report.ClosedModule{{Module: "a", Outcome: report.Closed, Why: "its process was gone", Time: time.Second}}, r.Modules)
		assert.Equal(t, []report.ClosedLibrary{{Library: "/opt/liba", Outcome: report.Closed, Why: "its process was gone"}}, r.Libraries)
		assert.False(t, e.failed())
	})
	t.Run("a failure is said first", func(t *testing.T) {
		e := &ending{}
		failed := closed
		failed.Err = "no"
		e.observe(failed)
		e.observe(lifecycle.Notice{Header: a, Text: "its process was gone"})
		assert.Equal(t, []report.ClosedModule{{Module: "a", Outcome: report.Failed, Why: "close: no", Time: time.Second}}, e.report("mesos-slave", nil).Modules)
		assert.True(t, e.failed())
	})
}

package hierarchical_test

import (
	"testing"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, hierarchical.Library, hierarchical.Name)
}

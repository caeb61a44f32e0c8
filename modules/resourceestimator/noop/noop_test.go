package noop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/resourceestimator/noop"
	"github.com/mesos-modules/mms/roles/resourceestimator"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, noop.Library, noop.Name)
}

func TestThereIsNothingToLend(t *testing.T) {
	e := moduletest.Load[resourceestimator.ResourceEstimator](moduletest.New(t, noop.Library), noop.Name)
	all, err := e.Oversubscribable(t.Context(), &mesosv1.ResourceUsage{})
	require.NoError(t, err)
	assert.Empty(t, all)
}

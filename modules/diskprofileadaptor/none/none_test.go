package none_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/diskprofileadaptor/none"
	"github.com/mesos-modules/mms/roles/diskprofileadaptor"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, none.Library, none.Name)
}

func TestNoProfileIsKnown(t *testing.T) {
	a := moduletest.Load[diskprofileadaptor.DiskProfileAdaptor](moduletest.New(t, none.Library), none.Name)
	_, err := a.Translate(t.Context(), "fast", &mesosv1.ResourceProviderInfo{})
	assert.ErrorContains(t, err, `"fast"`)

	var told [][]string
	sink := func(profiles []string) { told = append(told, profiles) }
	require.NoError(t, a.Watch(t.Context(), nil, &mesosv1.ResourceProviderInfo{}, sink))
	assert.Empty(t, told, "there is no difference")
	require.NoError(t, a.Watch(t.Context(), []string{"fast"}, &mesosv1.ResourceProviderInfo{}, sink))
	require.Len(t, told, 1)
	assert.Empty(t, told[0])
}

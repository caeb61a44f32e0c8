package noop_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/qoscontroller/noop"
	"github.com/mesos-modules/mms/roles/qoscontroller"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, noop.Library, noop.Name)
}

func TestCorrectionsWaitsForTheEnd(t *testing.T) {
	c := moduletest.Load[qoscontroller.QoSController](moduletest.New(t, noop.Library), noop.Name)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error)
	go func() {
		all, err := c.Corrections(ctx, &mesosv1.ResourceUsage{})
		assert.Empty(t, all)
		answered <- err
	}()
	cancel()
	assert.ErrorIs(t, <-answered, context.Canceled)
}

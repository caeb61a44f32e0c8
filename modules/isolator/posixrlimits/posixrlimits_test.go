package posixrlimits_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/posixrlimits"
	"github.com/mesos-modules/mms/roles/isolator"
)

func limit(kind mesosv1.RLimitInfo_RLimit_Type, soft, hard uint64) *mesosv1.RLimitInfo_RLimit {
	return &mesosv1.RLimitInfo_RLimit{Type: kind.Enum(), Soft: &soft, Hard: &hard}
}

func wants(limits ...*mesosv1.RLimitInfo_RLimit) *slave.ContainerConfig {
	return &slave.ContainerConfig{Directory: proto.String("/sandbox"), CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true")},
		ContainerInfo: &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(), RlimitInfo: &mesosv1.RLimitInfo{Rlimits: limits}}}
}

func Example() {
	module := posixrlimits.Library.Modules[0].Declare()
	instance, _ := module.New(context.Background(), nil, nil)
	info, _ := instance.(isolator.Isolator).Prepare(context.Background(), &mesosv1.ContainerID{Value: proto.String("C1")},
		wants(limit(mesosv1.RLimitInfo_RLimit_RLMT_NOFILE, 64, 128)))
	l := info.GetRlimits().GetRlimits()[0]
	fmt.Println(module.Name, l.GetType(), l.GetSoft(), l.GetHard())
	// Output: org_apache_mesos_PosixRLimitsIsolator RLMT_NOFILE 64 128
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, posixrlimits.Library, posixrlimits.Name)
	t.Run("with limits", func(t *testing.T) {
		moduletest.Conformance(t, posixrlimits.Library, posixrlimits.Name,
			moduletest.ContainerConfig(wants(limit(mesosv1.RLimitInfo_RLimit_RLMT_CORE, 0, 0))))
	})
}

func TestPrepare(t *testing.T) {
	i := moduletest.Load[isolator.Isolator](moduletest.New(t, posixrlimits.Library), posixrlimits.Name)
	prepare := func(c *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
		nested := &mesosv1.ContainerID{Value: proto.String("task"), Parent: &mesosv1.ContainerID{Value: proto.String("group")}}
		return i.Prepare(t.Context(), nested, c)
	}

	t.Run("limits are handed on, also of nested containers", func(t *testing.T) {
		nests, err := i.SupportsNesting(t.Context())
		require.NoError(t, err)
		assert.True(t, nests)
		info, err := prepare(wants(limit(mesosv1.RLimitInfo_RLimit_RLMT_NOFILE, 64, 128),
			&mesosv1.RLimitInfo_RLimit{Type: mesosv1.RLimitInfo_RLimit_RLMT_CORE.Enum()}))
		require.NoError(t, err)
		assert.Len(t, info.GetRlimits().GetRlimits(), 2, "the one without numbers is no limit")
	})
	t.Run("a container that asks for none gets none", func(t *testing.T) {
		for _, c := range []*slave.ContainerConfig{{}, {ContainerInfo: &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_DOCKER.Enum()}}} {
			info, err := prepare(c)
			require.NoError(t, err)
			assert.Nil(t, info)
		}
	})
	t.Run("what is wrong is refused, all of it at once", func(t *testing.T) {
		_, err := prepare(wants(
			&mesosv1.RLimitInfo_RLimit{Type: mesosv1.RLimitInfo_RLimit_RLMT_CPU.Enum(), Soft: proto.Uint64(1)},
			limit(mesosv1.RLimitInfo_RLimit_RLMT_NOFILE, 2, 1),
			limit(mesosv1.RLimitInfo_RLimit_RLMT_AS, 1, 1), limit(mesosv1.RLimitInfo_RLimit_RLMT_AS, 2, 2),
			limit(mesosv1.RLimitInfo_RLimit_UNKNOWN, 1, 1), limit(99, 1, 1)))
		require.Error(t, err)
		for _, text := range []string{
			"RLMT_CPU: soft and hard are given together",
			"RLMT_NOFILE: the soft limit 2 is above the hard limit 1",
			"RLMT_AS: it is given twice",
			"UNKNOWN: there is none of this type",
			"99: there is none of this type",
		} {
			assert.ErrorContains(t, err, text)
		}
	})
	t.Run("a container of another kind is refused", func(t *testing.T) {
		c := wants(limit(mesosv1.RLimitInfo_RLimit_RLMT_AS, 1, 1))
		c.ContainerInfo.Type = mesosv1.ContainerInfo_DOCKER.Enum()
		_, err := prepare(c)
		assert.ErrorContains(t, err, "of the type MESOS")
	})
}

func TestParameters(t *testing.T) {
	kit := moduletest.New(t, posixrlimits.Library, moduletest.Parameter(posixrlimits.Name, "hard", "1"))
	_, err := moduletest.TryLoad[isolator.Isolator](kit, posixrlimits.Name)
	assert.ErrorContains(t, err, "has no parameter hard")
}

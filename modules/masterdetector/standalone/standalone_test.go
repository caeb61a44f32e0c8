package standalone_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/masterdetector/standalone"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, standalone.Library, standalone.Name)
}

func detect(t *testing.T, master string, self *mesosv1.MasterInfo) (found []*leadership.Leadership, err error) {
	d := moduletest.Load[masterdetector.MasterDetector](
		moduletest.New(t, standalone.Library, moduletest.Parameter(standalone.Name, "master", master)), standalone.Name)
	err = d.Detect(t.Context(), self, func(l *leadership.Leadership) { found = append(found, l) })
	return found, err
}

func TestDetect(t *testing.T) {
	t.Run("a master finds itself", func(t *testing.T) {
		self := &mesosv1.MasterInfo{Id: proto.String("m")}
		found, err := detect(t, "", self)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, "m", found[0].GetLeader().GetId())
	})
	for address, pid := range map[string]string{
		"127.0.0.1:5050":        "master@127.0.0.1:5050",
		"master@127.0.0.1:6060": "master@127.0.0.1:6060",
		"127.0.0.1":             "master@127.0.0.1:5050",
		"[::1]:5050":            "master@[::1]:5050",
	} {
		t.Run("an agent finds "+address, func(t *testing.T) {
			found, err := detect(t, address, nil)
			require.NoError(t, err)
			require.Len(t, found, 1)
			assert.Equal(t, pid, found[0].GetLeader().GetPid())
		})
	}
	t.Run("an address is a number in network order", func(t *testing.T) {
		found, err := detect(t, "10.1.2.3:5050", nil)
		require.NoError(t, err)
		assert.Equal(t, uint32(0x0302010a), found[0].GetLeader().GetIp())
	})
	for _, address := range []string{"", "127.0.0.1:port", ":5050", "127.0.0.1:99999", "zk://127.0.0.1:2181/mesos"} {
		t.Run(fmt.Sprintf("%q is no address", address), func(t *testing.T) {
			found, err := detect(t, address, nil)
			require.Error(t, err)
			assert.Empty(t, found)
		})
	}
}

func Example() {
	instance, _ := standalone.Library.Modules[0].Declare().New(context.Background(), nil,
		facade.Parameters{{Key: "master", Value: "127.0.0.1:5050"}})
	_ = instance.(masterdetector.MasterDetector).Detect(context.Background(), nil,
		func(l *leadership.Leadership) { fmt.Println(l.GetLeader().GetPid()) })
	// Output: master@127.0.0.1:5050
}

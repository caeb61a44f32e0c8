package posixcpu_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/posixcpu"
	"github.com/mesos-modules/mms/roles/isolator"
)

func Example() {
	module := posixcpu.Library.Modules[0].Declare()
	fmt.Println(module.Name, posixcpu.Word)
	// Output: org_apache_mesos_PosixCpuIsolator posix/cpu
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, posixcpu.Library, posixcpu.Name)
}

func TestUsage(t *testing.T) {
	i := moduletest.Load[isolator.Isolator](moduletest.New(t, posixcpu.Library), posixcpu.Name)
	id := &mesosv1.ContainerID{Value: proto.String("c")}
	require.NoError(t, i.Isolate(t.Context(), id, int32(os.Getpid())))
	use, err := i.Usage(t.Context(), id)
	require.NoError(t, err)
	assert.Positive(t, use.GetTimestamp())
	assert.Positive(t, use.GetProcesses())
	assert.GreaterOrEqual(t, use.GetThreads(), use.GetProcesses())
	assert.NotNil(t, use.CpusUserTimeSecs)
	assert.NotNil(t, use.CpusSystemTimeSecs)
	assert.Nil(t, use.MemRssBytes, "that is the other isolator's")
}

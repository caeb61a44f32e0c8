package posixmem_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/posixmem"
	"github.com/mesos-modules/mms/roles/isolator"
)

func Example() {
	module := posixmem.Library.Modules[0].Declare()
	fmt.Println(module.Name, posixmem.Word)
	// Output: org_apache_mesos_PosixMemIsolator posix/mem
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, posixmem.Library, posixmem.Name)
}

func TestUsage(t *testing.T) {
	i := moduletest.Load[isolator.Isolator](moduletest.New(t, posixmem.Library), posixmem.Name)
	id := &mesosv1.ContainerID{Value: proto.String("c")}
	require.NoError(t, i.Isolate(t.Context(), id, int32(os.Getpid())))
	use, err := i.Usage(t.Context(), id)
	require.NoError(t, err)
	assert.Positive(t, use.GetTimestamp())
	assert.Greater(t, use.GetMemRssBytes(), uint64(1<<20))
	assert.Nil(t, use.CpusUserTimeSecs, "that is the other isolator's")
}

package mesosjson_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

func encode(t *testing.T, write func(*mesosjson.Encoder)) string {
	t.Helper()
	var to bytes.Buffer
	e := mesosjson.NewEncoder(&to)
	write(e)
	require.NoError(t, e.Close())
	return to.String()
}

func TestEncoder(t *testing.T) {
	t.Run("writes every kind of value", func(t *testing.T) {
		assert.Equal(t, `{"s":"a\"b","b":"AP8=","i":-1,"u":18446744073709551615,"d":1.0,"n":"NaN","t":true,"f":false,"null":null,`+
			`"a":[],"o":{},"aa":[[],[1,{"x":2}],{}],"k\n":"last"}`, encode(t, func(e *mesosjson.Encoder) {
			e.BeginObject()
			e.Key("s")
			e.String(`a"b`)
			e.Key("b")
			e.Bytes([]byte{0, 255})
			e.Key("i")
			e.Int(-1)
			e.Key("u")
			e.Uint(math.MaxUint64)
			e.Key("d")
			e.Double(1)
			e.Key("n")
			e.Double(math.NaN())
			e.Key("t")
			e.Bool(true)
			e.Key("f")
			e.Bool(false)
			e.Key("null")
			e.Null()
			e.Key("a")
			e.BeginArray()
			e.EndArray()
			e.Key("o")
			e.BeginObject()
			e.EndObject()
			e.Key("aa")
			e.BeginArray()
			e.BeginArray()
			e.EndArray()
			e.BeginArray()
			e.Int(1)
			e.BeginObject()
			e.Key("x")
			e.Int(2)
			e.EndObject()
			e.EndArray()
			e.BeginObject()
			e.EndObject()
			e.EndArray()
			e.Key("k\n")
			e.String("last")
			e.EndObject()
		}))
	})
	t.Run("mixes messages into a document", func(t *testing.T) {
		label := &mesosv1.Label{Key: proto.String("k")}
		assert.Equal(t, `[{"key":"k"},{"key":"k"},{"hostname":"h","port":5051,"checkpoint":true},{"hostname":"h","port":5051}]`,
			encode(t, func(e *mesosjson.Encoder) {
				agent := &mesosv1.AgentInfo{Hostname: proto.String("h")}
				e.BeginArray()
				e.Message(label)
				e.StoredMessage(label)
				e.StoredMessage(agent)
				e.Message(agent)
				e.EndArray()
			}))
	})
	t.Run("says when a document is not ended", func(t *testing.T) {
		e := mesosjson.NewEncoder(io.Discard)
		e.BeginArray()
		e.BeginObject()
		e.EndObject()
		assert.EqualError(t, e.Close(), "the document ends with 1 objects and arrays begun more than ended")
	})
	t.Run("bounds the depth", func(t *testing.T) {
		e := mesosjson.NewEncoder(io.Discard)
		for range mesosjson.MaxDepth {
			e.BeginArray()
		}
		e.Message(&mesosv1.Labels{})
		assert.ErrorIs(t, e.Close(), mesosjson.ErrLimit)
	})
}

func TestCallback(t *testing.T) {
	var to bytes.Buffer
	e, err := mesosjson.NewCallbackEncoder(&to, "jQuery1[0]._$x")
	require.NoError(t, err)
	e.Message(&mesosv1.Labels{})
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "closing twice writes nothing more")
	assert.Equal(t, "jQuery1[0]._$x({})", to.String())

	for _, name := range []string{"", "a b", "a(", "<script>", "a;b", "a\n", "é", `a"`, strings.Repeat("a", 257)} {
		_, err := mesosjson.NewCallbackEncoder(&to, name)
		require.Error(t, err, name)
		got, err := mesosjson.AppendCallback([]byte("kept"), name, []byte("{}"))
		require.Error(t, err, name)
		assert.Equal(t, "kept", string(got))
	}
	got, err := mesosjson.AppendCallback([]byte("kept "), strings.Repeat("a", 256), []byte("{}"))
	require.NoError(t, err)
	assert.Equal(t, "kept "+strings.Repeat("a", 256)+"({})", string(got))
}

func tasks(n int) *master.Response {
	all := &master.Response_GetTasks{}
	for i := range n {
		all.Tasks = append(all.Tasks, &mesosv1.Task{
			Name:        proto.String("task"),
			TaskId:      &mesosv1.TaskID{Value: proto.String(fmt.Sprintf("task.%d", i))},
			FrameworkId: &mesosv1.FrameworkID{Value: proto.String("F-0000")},
			AgentId:     &mesosv1.AgentID{Value: proto.String("S-0000")},
			State:       mesosv1.TaskState_TASK_RUNNING.Enum(),
			Resources:   []*mesosv1.Resource{resource("cpus", 0.1), resource("mem", 32)},
		})
	}
	return &master.Response{Type: master.Response_GET_TASKS.Enum(), GetTasks: all}
}

func resource(name string, value float64) *mesosv1.Resource {
	return &mesosv1.Resource{
		Name:   proto.String(name),
		Type:   mesosv1.Value_SCALAR.Enum(),
		Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(value)},
		Role:   proto.String("*"),
	}
}

// sizes notes the largest write.
type sizes struct{ largest, total, writes int }

func (s *sizes) Write(p []byte) (int, error) {
	s.largest = max(s.largest, len(p))
	s.total += len(p)
	s.writes++
	return len(p), nil
}

func TestWriteDoesNotHoldTheDocument(t *testing.T) {
	m := tasks(20_000)
	whole, err := mesosjson.Marshal(m)
	require.NoError(t, err)
	require.Greater(t, len(whole), 4<<20)

	var to sizes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, mesosjson.Write(&to, m))
	runtime.ReadMemStats(&after)
	assert.Equal(t, len(whole), to.total)
	assert.Less(t, to.largest, 64<<10)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(len(whole)/2), "all memory taken on the way, not only what is held at a time")

	var pieces bytes.Buffer
	require.NoError(t, mesosjson.Write(&pieces, m))
	assert.True(t, bytes.Equal(whole, pieces.Bytes()), "pieces make the same document")
}

func TestEncoderGivesALargeBufferBack(t *testing.T) {
	var to sizes
	e := mesosjson.NewEncoder(&to)
	e.BeginArray()
	e.String(strings.Repeat("a", 1<<20))
	e.String("b")
	e.EndArray()
	require.NoError(t, e.Close())
	assert.Equal(t, 1<<20+8, to.total)
	assert.Equal(t, 2, to.writes)
}

// failing takes so many writes.
type failing struct {
	takes int
	short bool
	seen  int
}

var errGone = errors.New("connection is gone")

func (f *failing) Write(p []byte) (int, error) {
	f.seen++
	switch {
	case f.seen <= f.takes:
		return len(p), nil
	case f.short:
		return len(p) - 1, nil
	default:
		return 0, errGone
	}
}

func TestWriteStopsWhenTheWriterFails(t *testing.T) {
	to := &failing{takes: 1}
	require.ErrorIs(t, mesosjson.Write(to, tasks(20_000)), errGone)
	assert.Equal(t, 2, to.seen, "a writer that failed is not asked again")

	to = &failing{short: true}
	require.ErrorIs(t, mesosjson.Write(to, tasks(1)), io.ErrShortWrite)
	assert.Equal(t, 1, to.seen)
}

func TestAppend(t *testing.T) {
	label := &mesosv1.Label{Key: proto.String("k")}
	got, err := mesosjson.Append([]byte("before "), label)
	require.NoError(t, err)
	assert.Equal(t, `before {"key":"k"}`, string(got))

	id := &mesosv1.ContainerID{Value: proto.String("")}
	for range mesosjson.MaxDepth {
		id = &mesosv1.ContainerID{Value: proto.String(""), Parent: id}
	}
	got, err = mesosjson.Append([]byte("before"), id)
	require.ErrorIs(t, err, mesosjson.ErrLimit)
	assert.Equal(t, "before", string(got))
	_, err = mesosjson.Marshal(id)
	require.ErrorIs(t, err, mesosjson.ErrLimit)
	require.ErrorIs(t, mesosjson.Write(io.Discard, id), mesosjson.ErrLimit)
	_, err = mesosjson.Marshal(id.GetParent())
	assert.NoError(t, err)
}

func TestMarshalLeavesOutEnumsWithoutName(t *testing.T) {
	later := func(n int32) *int32 { return &n }
	assert.Equal(t, `{"name":"a","type":"VALUE"}`, marshal(t, &mesosv1.Environment_Variable{
		Name: proto.String("a"), Type: (*mesosv1.Environment_Variable_Type)(later(99)),
	}), "a default takes its place")
	assert.Equal(t, `{"name":"a"}`, marshal(t, &mesosv1.Attribute{
		Name: proto.String("a"), Type: (*mesosv1.Value_Type)(later(99)),
	}), "also where the field is required")
	assert.Equal(t, `{"capabilities":["KILL"]}`, marshal(t, &mesosv1.CapabilityInfo{
		Capabilities: []mesosv1.CapabilityInfo_Capability{99, mesosv1.CapabilityInfo_KILL, 1},
	}))
	assert.Equal(t, `{}`, marshal(t, &mesosv1.CapabilityInfo{Capabilities: []mesosv1.CapabilityInfo_Capability{99}}))
}

func TestMarshalTakesWhatIsNil(t *testing.T) {
	assert.Equal(t, `{}`, marshal(t, (*mesosv1.Labels)(nil)))
	assert.Equal(t, `{"shell":true}`, marshal(t, (*mesosv1.CommandInfo)(nil)))
	assert.Equal(t, `{"labels":[{}]}`, marshal(t, &mesosv1.Labels{Labels: []*mesosv1.Label{nil}}))
}

func TestMarshalIsTheSameEachTime(t *testing.T) {
	m := &mesosv1.OfferFilters_ResourceQuantities{Quantities: map[string]*mesosv1.Value_Scalar{}}
	for i := range 50 {
		m.Quantities[fmt.Sprint(i)] = &mesosv1.Value_Scalar{Value: proto.Float64(1)}
	}
	first := marshal(t, m)
	for range 20 {
		require.Equal(t, first, marshal(t, m))
	}
	assert.True(t, strings.HasPrefix(first, `{"quantities":{"0":{"value":1.0},"1":{"value":1.0},"10":`))
}

func marshal(t *testing.T, m proto.Message) string {
	t.Helper()
	text, err := mesosjson.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

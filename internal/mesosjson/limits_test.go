package mesosjson_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

func TestLimits(t *testing.T) {
	read := func(l mesosjson.Limits, text string) error {
		return l.Unmarshal([]byte(text), newMessage(t, "mesos.v1.Filters"))
	}
	nested := func(n int) string { return `{"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	var none mesosjson.Limits

	t.Run("of depth", func(t *testing.T) {
		require.NoError(t, read(none, nested(200)))
		err := read(none, nested(201))
		require.ErrorIs(t, err, mesosjson.ErrLimit)
		require.EqualError(t, err, "objects and arrays are nested more than 200 deep at byte 204")
		require.NoError(t, read(none, `{"x":[`+strings.TrimSuffix(strings.Repeat("[],", 1000), ",")+`]}`), "what is beside is not below")

		deep := func(n int) []byte {
			return []byte(strings.Repeat(`{"value":"","parent":`, n-1) + `{"value":""}` + strings.Repeat("}", n-1))
		}
		id := newMessage(t, "mesos.v1.ContainerID")
		require.NoError(t, mesosjson.Unmarshal(deep(200), id))
		text, err := mesosjson.Marshal(id)
		require.NoError(t, err)
		assert.Equal(t, string(deep(200)), string(text), "what is read can be written")
		assert.ErrorIs(t, mesosjson.Unmarshal(deep(201), id), mesosjson.ErrLimit)
	})
	t.Run("of bytes", func(t *testing.T) {
		require.NoError(t, read(mesosjson.Limits{Bytes: 4}, `{  }`))
		err := read(mesosjson.Limits{Bytes: 3}, `{  }`)
		require.ErrorIs(t, err, mesosjson.ErrLimit)
		require.EqualError(t, err, "more than 3 bytes of text at byte 3")
		err = none.Unmarshal(make([]byte, mesosjson.DefaultBytes+1), newMessage(t, "mesos.v1.Filters"))
		require.ErrorIs(t, err, mesosjson.ErrLimit)
	})
	t.Run("of values", func(t *testing.T) {
		require.NoError(t, read(mesosjson.Limits{Values: 5}, `{"x":[0,0]}`))
		err := read(mesosjson.Limits{Values: 4}, `{"x":[0,0]}`)
		require.ErrorIs(t, err, mesosjson.ErrLimit)
		require.EqualError(t, err, "more than 4 keys and values at byte 9")
		err = read(none, `{"x":[`+strings.Repeat("0,", mesosjson.DefaultValues)+`0]}`)
		require.ErrorIs(t, err, mesosjson.ErrLimit)
	})
	t.Run("of memory", func(t *testing.T) {
		bomb := []byte(`{"accept":{"operations":[` + strings.Repeat("{},", 1<<20) + `{}]}}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := mesosjson.Unmarshal(bomb, newMessage(t, "mesos.v1.scheduler.Call"))
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, mesosjson.ErrLimit)
		assert.Regexp(t, `^more objects than 3145758 bytes of text are worth at byte \d+$`, err.Error())
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(60*len(bomb)), "all memory taken on the way")

		_, err = mesosjson.UnmarshalArray[mesosv1.CommandInfo]([]byte(`[` + strings.Repeat("{},", 1<<20) + `{}]`))
		require.ErrorIs(t, err, mesosjson.ErrLimit)
	})
	t.Run("what clients send is far from any", func(t *testing.T) {
		var text strings.Builder
		text.WriteString(`{"framework_id":{"value":"F"},"type":"RECONCILE","reconcile":{"tasks":[`)
		const many = 100_000
		for range many {
			text.WriteString(`{"task_id":{"value":"a"},"agent_id":{"value":"b"}},`)
		}
		text.WriteString(`{"task_id":{"value":"a"}}]}}`)
		var call scheduler.Call
		require.NoError(t, mesosjson.Unmarshal([]byte(text.String()), &call))
		assert.Len(t, call.GetReconcile().GetTasks(), many+1)

		accept := `{"accept":{"operations":[{"launch":{"task_infos":[` + strings.Repeat(
			`{"name":"a","task_id":{"value":"a"},"agent_id":{"value":"b"},"resources":[{"name":"c","type":"SCALAR","scalar":{"value":1}}]},`, 10_000)
		accept = strings.TrimSuffix(accept, ",") + `]}}]}}`
		require.NoError(t, mesosjson.Unmarshal([]byte(accept), &call))
		keys := `{"labels":[` + strings.TrimSuffix(strings.Repeat(`{"key":""},`, 100_000), ",") + `]}`
		require.NoError(t, mesosjson.Unmarshal([]byte(keys), &mesosv1.Labels{}))
	})
	t.Run("the error is one of syntax", func(t *testing.T) {
		var syntax *mesosjson.SyntaxError
		require.ErrorAs(t, read(none, nested(1<<20)), &syntax)
		assert.Equal(t, 204, syntax.Offset)
		assert.False(t, errors.Is(&mesosjson.SyntaxError{}, mesosjson.ErrLimit))
	})
}

package bridge

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestElements(t *testing.T) {
	t.Run("are copied, since C frees them", func(t *testing.T) {
		data := []byte{1, 2}
		c, err := copied(data)
		require.NoError(t, err)
		data[0] = 9
		assert.Equal(t, []byte{1, 2}, c)
		c, err = copied(nil)
		require.NoError(t, err)
		assert.Equal(t, []byte{}, c, "an empty element is not nil")
	})
	t.Run("are text without invalid bytes", func(t *testing.T) {
		s, err := text([]byte("a\xffb"))
		require.NoError(t, err)
		assert.Equal(t, "a\ufffdb", s)
	})
	t.Run("are numbers of their own size only", func(t *testing.T) {
		v, err := scalar[int32]([]byte{0xfe, 0xff, 0xff, 0xff})
		require.NoError(t, err)
		assert.EqualValues(t, -2, v)
		_, err = scalar[int32](make([]byte, 8))
		assert.EqualError(t, err, "an element has 8 bytes, and a int32 has 4")
		_, err = scalar[float64](nil)
		assert.EqualError(t, err, "an element has 0 bytes, and a float64 has 8")
	})
	t.Run("are bools of one byte only", func(t *testing.T) {
		v, err := truth([]byte{2})
		require.NoError(t, err)
		assert.True(t, v)
		_, err = truth(nil)
		assert.EqualError(t, err, "an element has 0 bytes, and a bool has 1")
		assert.EqualValues(t, 1, boolean(true))
		assert.EqualValues(t, 0, boolean(false))
	})
	t.Run("are messages that parse", func(t *testing.T) {
		data, err := marshalAll([]*mesosv1.TaskID{{Value: proto.String("t1")}})
		require.NoError(t, err)
		m, err := message[mesosv1.TaskID](data[0])
		require.NoError(t, err)
		assert.Equal(t, "t1", m.GetValue())
		_, err = message[mesosv1.TaskID]([]byte{0xff})
		assert.ErrorContains(t, err, "no mesos.v1.TaskID: ")
		_, err = marshalAll([]*mesosv1.TaskID{{}})
		assert.ErrorContains(t, err, "required field")
	})
}

func TestPack(t *testing.T) {
	none := pack([]string(nil))
	assert.Nil(t, none.first())
	assert.Zero(t, none.count())
	none.free()

	type entry struct {
		data *byte
		size uintptr
	}
	want := []string{"a", "", "\x00bc"}
	p := pack(want)
	defer p.free()
	require.EqualValues(t, len(want), p.count())
	for i, e := range unsafe.Slice((*entry)(unsafe.Pointer(p.first())), len(want)) {
		assert.Equal(t, want[i], unsafe.String(e.data, e.size))
	}
}

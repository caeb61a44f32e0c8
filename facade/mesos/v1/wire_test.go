package mesosv1_test

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// The bytes are worked out by hand from the encoding rules of protocol buffers and the numbers of Apache Mesos.
func TestMessagesHaveTheBytesOfTheWire(t *testing.T) {
	cases := []struct {
		name    string
		message proto.Message
		bytes   []string // hexadecimal, one field a line
	}{
		{
			name:    "a nested container",
			message: &mesosv1.ContainerID{Value: proto.String("c"), Parent: &mesosv1.ContainerID{Value: proto.String("p")}},
			bytes:   []string{"0a 01 63", "12 03 0a0170"},
		},
		{
			name: "a task status with a uuid",
			message: &mesosv1.TaskStatus{
				TaskId:     &mesosv1.TaskID{Value: proto.String("t1")},
				State:      mesosv1.TaskState_TASK_RUNNING.Enum(),
				Source:     mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum(),
				AgentId:    &mesosv1.AgentID{Value: proto.String("a")},
				ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")},
				Timestamp:  proto.Float64(1.5),
				Uuid:       []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\xff"),
				Healthy:    proto.Bool(true),
				Limitation: &mesosv1.TaskResourceLimitation{},
			},
			bytes: []string{
				"0a 04 0a027431",
				"10 01",
				"2a 03 0a0161",
				"31 000000000000f83f",
				"3a 03 0a0165",
				"40 01",
				"48 02",
				"5a 10 000102030405060708090a0b0c0d0eff",
				"8201 00",
			},
		},
		{
			name: "an offer",
			message: &mesosv1.Offer{
				Id:          &mesosv1.OfferID{Value: proto.String("o")},
				FrameworkId: &mesosv1.FrameworkID{Value: proto.String("f")},
				AgentId:     &mesosv1.AgentID{Value: proto.String("a")},
				Hostname:    proto.String("h"),
				Resources: []*mesosv1.Resource{{
					Name:           proto.String("cpus"),
					Type:           mesosv1.Value_SCALAR.Enum(),
					Scalar:         &mesosv1.Value_Scalar{Value: proto.Float64(1.5)},
					AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String("*")},
				}},
				AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String("r")},
			},
			bytes: []string{
				"0a 03 0a016f",
				"12 03 0a0166",
				"1a 03 0a0161",
				"22 01 68",
				"2a 18 0a0463707573 1000 1a0909000000000000f83f 5a030a012a",
				"52 03 0a0172",
			},
		},
		{
			name: "a task with an infinite limit",
			message: &mesosv1.TaskInfo{
				Name:    proto.String("n"),
				TaskId:  &mesosv1.TaskID{Value: proto.String("t")},
				AgentId: &mesosv1.AgentID{Value: proto.String("a")},
				Limits:  map[string]*mesosv1.Value_Scalar{"mem": {Value: proto.Float64(math.Inf(1))}},
			},
			bytes: []string{
				"0a 01 6e",
				"12 03 0a0174",
				"1a 03 0a0161",
				"7a 10 0a036d656d 120909000000000000f07f",
			},
		},
		{
			name:    "a list of numbers, each with its own tag",
			message: &mesosv1.HealthCheck_HTTPCheckInfo{Port: proto.Uint32(80), Statuses: []uint32{200, 404}},
			bytes:   []string{"08 50", "20 c801", "20 9403"},
		},
		{
			name: "a subscription",
			message: &scheduler.Call{
				Type: scheduler.Call_SUBSCRIBE.Enum(),
				Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: &mesosv1.FrameworkInfo{
					User: proto.String("u"), Name: proto.String("n"), Roles: []string{"r"},
				}},
			},
			bytes: []string{"10 01", "1a 0b 0a09 0a0175 12016e 620172"},
		},
		{
			name:    "a failure with a negative status",
			message: &scheduler.Event{Failure: &scheduler.Event_Failure{Status: proto.Int32(-1)}},
			bytes:   []string{"3a 0b 18 ffffffffffffffffff01"},
		},
		{
			name: "one of several forms of a constraint",
			message: &scheduler.AttributeConstraint{
				Selector: &scheduler.AttributeConstraint_Selector{
					Selector: &scheduler.AttributeConstraint_Selector_PseudoattributeType_{
						PseudoattributeType: scheduler.AttributeConstraint_Selector_ZONE,
					},
				},
				Predicate: &scheduler.AttributeConstraint_Predicate{
					Predicate: &scheduler.AttributeConstraint_Predicate_TextEquals_{
						TextEquals: &scheduler.AttributeConstraint_Predicate_TextEquals{Value: proto.String("z")},
					},
				},
			},
			bytes: []string{"0a 02 0803", "12 05 1a03 0a017a"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, strings.Join(c.bytes, " "))

			got, err := proto.Marshal(c.message)
			require.NoError(t, err)
			assert.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got))

			back := c.message.ProtoReflect().New().Interface()
			require.NoError(t, proto.Unmarshal(want, back))
			assert.True(t, proto.Equal(c.message, back), "read back: %v", back)
		})
	}
}

func TestWhatOthersMayWriteIsRead(t *testing.T) {
	t.Run("numbers in one piece, as newer writers may send them", func(t *testing.T) {
		var check mesosv1.HealthCheck_HTTPCheckInfo
		require.NoError(t, proto.Unmarshal(unhex(t, "08 50 22 04 c801 9403"), &check))
		assert.Equal(t, []uint32{200, 404}, check.GetStatuses())
	})
	t.Run("a field that is not known is kept and written again", func(t *testing.T) {
		wire := unhex(t, "0a0174 f83f 07") // field 1023
		var id mesosv1.TaskID
		require.NoError(t, proto.Unmarshal(wire, &id))
		again, err := proto.Marshal(&id)
		require.NoError(t, err)
		assert.Equal(t, wire, again)
	})
	t.Run("an enum number without a name stays in its field", func(t *testing.T) {
		var status mesosv1.TaskStatus
		require.NoError(t, proto.Unmarshal(unhex(t, "0a030a0174 1063"), &status))
		assert.Equal(t, mesosv1.TaskState(99), status.GetState())
		assert.Equal(t, "99", status.GetState().String())
	})
}

func TestAMissingRequiredFieldIsAnError(t *testing.T) {
	t.Run("when writing", func(t *testing.T) {
		_, err := proto.Marshal(&mesosv1.TaskStatus{TaskId: &mesosv1.TaskID{Value: proto.String("t")}})
		assert.ErrorContains(t, err, "required field mesos.v1.TaskStatus.state not set")
	})
	t.Run("when reading, in a message within a message", func(t *testing.T) {
		err := proto.Unmarshal(unhex(t, "0a00 1001"), &mesosv1.TaskStatus{})
		assert.ErrorContains(t, err, "required field mesos.v1.TaskID.value not set")
	})
}

func TestAnUnsetFieldReadsAsItsDefault(t *testing.T) {
	assert.Equal(t, mesosv1.TaskState_TASK_STAGING, (&mesosv1.TaskStatus{}).GetState(), "the first value, not 0")
	assert.Equal(t, mesosv1.NetworkInfo_IPv4, (&mesosv1.NetworkInfo_IPAddress{}).GetProtocol(), "an enum's default")
	assert.Equal(t, "*", (&mesosv1.Resource{}).GetRole())
	assert.Equal(t, 15.0, (&mesosv1.CheckInfo{}).GetDelaySeconds())
	assert.Equal(t, uint32(5050), (&mesosv1.MasterInfo{}).GetPort(), "of a required field too")
	assert.True(t, (&mesosv1.CommandInfo{}).GetShell())
	assert.Equal(t, 5.0, (*mesosv1.Filters)(nil).GetRefuseSeconds(), "of a message that is not there")
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

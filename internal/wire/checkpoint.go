package wire

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// checkpointField is the number of SlaveInfo.checkpoint, which AgentInfo lacks.
const checkpointField = 7

// WithCheckpoint returns a copy of info that says on the wire that the agent
// writes down what it runs. Every agent of Mesos 1.x says so, and a master of
// theirs drops agents with reservations that do not.
func WithCheckpoint(info *mesosv1.AgentInfo) *mesosv1.AgentInfo {
	said := proto.CloneOf(info)
	b := protowire.AppendTag(nil, checkpointField, protowire.VarintType)
	b = protowire.AppendVarint(b, 1)
	said.ProtoReflect().SetUnknown(b)
	return said
}

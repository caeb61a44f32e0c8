package moduletest

import (
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// scalar is an amount of a resource that nobody has.
func scalar(name string, value float64) *mesosv1.Resource {
	return &mesosv1.Resource{
		Name: &name, Type: mesosv1.Value_SCALAR.Enum(),
		Scalar: &mesosv1.Value_Scalar{Value: &value},
	}
}

// frameworkOf is a framework of the given roles.
func frameworkOf(id string, roles ...string) *mesosv1.FrameworkInfo {
	return &mesosv1.FrameworkInfo{
		User: proto.String("nobody"), Name: &id, Id: &mesosv1.FrameworkID{Value: &id}, Roles: roles,
		Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
	}
}

// agentOf is an agent on a host of its own, called like it.
func agentOf(id string) *mesosv1.AgentInfo {
	return &mesosv1.AgentInfo{Hostname: &id, Id: &mesosv1.AgentID{Value: &id}}
}

package command

import (
	"bytes"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// document is the line that a program gets, begun with its step.
func document(step string, rest func(*mesosjson.Encoder)) []byte {
	var out bytes.Buffer
	e := mesosjson.NewEncoder(&out)
	e.BeginObject()
	e.Key("step")
	e.String(step)
	rest(e)
	e.EndObject()
	_ = e.Close() // a buffer takes everything; a message nested too deep could not have come in
	out.WriteByte('\n')
	return out.Bytes()
}

func recoverDocument(states []*slave.ContainerState, orphans []*mesosv1.ContainerID) []byte {
	return document(stepRecover, func(e *mesosjson.Encoder) {
		list(e, "states", states)
		list(e, "orphans", orphans)
	})
}

func prepareDocument(id *mesosv1.ContainerID, config *slave.ContainerConfig) []byte {
	return document(stepPrepare, func(e *mesosjson.Encoder) {
		identify(e, id)
		e.Key("config")
		e.Message(config)
	})
}

// containerDocument leaves out a pid of 0.
func containerDocument(step string, id *mesosv1.ContainerID, pid int32) []byte {
	return document(step, func(e *mesosjson.Encoder) {
		identify(e, id)
		if pid != 0 {
			e.Key("pid")
			e.Int(int64(pid))
		}
	})
}

func updateDocument(id *mesosv1.ContainerID, requests []*mesosv1.Resource, limits *mesosv1.OfferFilters_ResourceQuantities) []byte {
	return document(stepUpdate, func(e *mesosjson.Encoder) {
		identify(e, id)
		list(e, "resources", requests)
		e.Key("limits")
		e.BeginObject()
		all := limits.GetQuantities()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			e.Key(name)
			e.Message(all[name])
		}
		e.EndObject()
	})
}

func identify(e *mesosjson.Encoder, id *mesosv1.ContainerID) {
	e.Key("container_id")
	e.Message(id)
}

func list[T proto.Message](e *mesosjson.Encoder, name string, all []T) {
	e.Key(name)
	e.BeginArray()
	for _, m := range all {
		e.Message(m)
	}
	e.EndArray()
}

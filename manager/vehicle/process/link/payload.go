package link

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoiface"
	"google.golang.org/protobuf/types/known/emptypb"
)

// payload is a message that is its own bytes: the head and then the body. ttrpc carries
// messages only, and would copy the field of a real one twice more in each direction.
// What is read is all in the body, and is part of what it was read from.
type payload struct {
	head, body []byte
	reflected  reflected
}

var _ proto.Message = (*payload)(nil)

func (p *payload) Reset()         { p.head, p.body = nil, nil }
func (p *payload) String() string { return "payload" }
func (p *payload) ProtoMessage()  {}

// ProtoReflect gives the message the type of an empty one, with ways of its own to be
// written and read.
func (p *payload) ProtoReflect() protoreflect.Message {
	p.reflected = reflected{empty, p}
	return &p.reflected
}

type reflected struct {
	protoreflect.Message
	of *payload
}

func (r *reflected) ProtoMethods() *protoiface.Methods    { return &methods }
func (r *reflected) Interface() protoreflect.ProtoMessage { return r.of }

var empty = (&emptypb.Empty{}).ProtoReflect()

var methods = protoiface.Methods{
	Flags: protoiface.SupportMarshalDeterministic | protoiface.SupportUnmarshalDiscardUnknown,
	Size: func(in protoiface.SizeInput) protoiface.SizeOutput {
		p := in.Message.(*reflected).of
		return protoiface.SizeOutput{Size: len(p.head) + len(p.body)}
	},
	Marshal: func(in protoiface.MarshalInput) (protoiface.MarshalOutput, error) {
		p := in.Message.(*reflected).of
		return protoiface.MarshalOutput{Buf: append(append(in.Buf, p.head...), p.body...)}, nil
	},
	Unmarshal: func(in protoiface.UnmarshalInput) (protoiface.UnmarshalOutput, error) {
		in.Message.(*reflected).of.body = in.Buf
		return protoiface.UnmarshalOutput{Flags: protoiface.UnmarshalInitialized}, nil
	},
	CheckInitialized: func(protoiface.CheckInitializedInput) (protoiface.CheckInitializedOutput, error) {
		return protoiface.CheckInitializedOutput{}, nil
	},
}

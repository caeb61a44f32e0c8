package libprocess

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/mesos-modules/mms/internal/wire" // the messages there are
)

// messages is the package of the messages between daemons.
const messages = "mesos.internal."

// Unmarshal reads the message in an envelope. Only messages of internal/wire are
// known. A message that lacks a required field is an error.
func Unmarshal(e Envelope) (proto.Message, error) {
	if !strings.HasPrefix(e.Name, messages) {
		return nil, fmt.Errorf("message from %v: %q is none of %s*", e.From, e.Name, messages)
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.Name))
	if err != nil {
		return nil, fmt.Errorf("message from %v: %q is not known", e.From, e.Name)
	}
	m := kind.New().Interface()
	if err := proto.Unmarshal(e.Body, m); err != nil {
		return nil, fmt.Errorf("message %s from %v: %w", e.Name, e.From, err)
	}
	return m, nil
}

// request is a message as it stands on the wire. One without content has neither a
// length nor chunks, as libprocess writes it.
func request(to PID, from PID, m proto.Message) ([]byte, error) {
	body, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("message %s to %v: %w", m.ProtoReflect().Descriptor().FullName(), to, err)
	}
	var b strings.Builder
	b.Grow(256 + len(body))
	fmt.Fprintf(&b, "POST /%s/%s HTTP/1.1\r\nUser-Agent: %s%v\r\nLibprocess-From: %v\r\nConnection: Keep-Alive\r\nHost: %v\r\n",
		escaped(to.Name), m.ProtoReflect().Descriptor().FullName(), agentPrefix, from, from, to.Addr)
	if len(body) > 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return []byte(b.String()), nil
}

// escaped writes the name of a process into a path. Parentheses stay as they are,
// which url.PathEscape would not leave.
func escaped(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`/?#%"<>\^{|}`+"`", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

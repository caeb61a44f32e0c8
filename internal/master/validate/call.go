package validate

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// initialized says which required fields a call lacks. The codecs look at it too;
// here it makes sure that whatever comes, comes whole.
func initialized(call proto.Message) error {
	if err := proto.CheckInitialized(call); err != nil {
		// protobuf varies the white space of its texts from build to build.
		return errors.New("Not initialized: " + strings.ReplaceAll(err.Error(), "\u00a0", " "))
	}
	return nil
}

// hasType says whether the field type is set, which all calls have.
func hasType(call proto.Message) error {
	return present(call, "type")
}

// present says whether a field is set, be it to an empty message.
func present(call proto.Message, name protoreflect.Name) error {
	m := call.ProtoReflect()
	fd := m.Descriptor().Fields().ByName(name)
	if fd == nil {
		return fmt.Errorf("%s has no field '%s'", m.Descriptor().FullName(), name)
	}
	if !m.Has(fd) {
		return fmt.Errorf("Expecting '%s' to be present", name)
	}
	return nil
}

const uuidBytes = 16

func uuid(b []byte) error {
	if len(b) != uuidBytes {
		return fmt.Errorf("Not a valid UUID: it has %d bytes instead of %d", len(b), uuidBytes)
	}
	return nil
}

package mesos_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "github.com/mesos-modules/mms/facade/mesos/allocation"
	_ "github.com/mesos-modules/mms/facade/mesos/appc"
	_ "github.com/mesos-modules/mms/facade/mesos/authorization"
	_ "github.com/mesos-modules/mms/facade/mesos/docker/v1"
	_ "github.com/mesos-modules/mms/facade/mesos/handshake"
	_ "github.com/mesos-modules/mms/facade/mesos/httpauth"
	_ "github.com/mesos-modules/mms/facade/mesos/leadership"
	_ "github.com/mesos-modules/mms/facade/mesos/module"
	_ "github.com/mesos-modules/mms/facade/mesos/seccomp"
	_ "github.com/mesos-modules/mms/facade/mesos/slave"
	_ "github.com/mesos-modules/mms/facade/mesos/v1"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/maintenance"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/master"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/quota"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/resource_provider"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// The tables are two: what Apache Mesos fixes, and what is ours. Neither is made from the .proto files: a line in them
// changes when the API is meant to.
func TestMessagesHaveTheNamesAndNumbersOfTheTables(t *testing.T) {
	tables := map[string]string{
		"testdata/fields.txt": "",
		"testdata/own.txt":    "",
	}
	for _, file := range registered(t) {
		table := "testdata/fields.txt"
		if isOwn(file.Path()) {
			table = "testdata/own.txt"
		}
		tables[table] += render(file)
	}
	for table, got := range tables {
		want, err := os.ReadFile(table)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, table)
	}
}

// isOwn says whether a file is ours, and not one that Apache Mesos has.
func isOwn(path string) bool {
	for _, own := range []string{"mesos/allocation/", "mesos/handshake/", "mesos/httpauth/", "mesos/leadership/",
		"mesos/slave/diskprofile.proto", "mesos/slave/io.proto"} {
		if strings.HasPrefix(path, own) {
			return true
		}
	}
	return false
}

func TestEverySourceIsLinkedIntoThisTest(t *testing.T) {
	var sources, linked []string
	err := fs.WalkDir(os.DirFS(".."), "mesos", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".proto") {
			sources = append(sources, name)
		}
		return err
	})
	require.NoError(t, err)
	for _, file := range registered(t) {
		linked = append(linked, file.Path())
	}
	assert.Equal(t, sources, linked)
}

// registered returns our files, sorted by path.
func registered(t *testing.T) []protoreflect.FileDescriptor {
	t.Helper()
	var files []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(file.Path(), "mesos/") {
			files = append(files, file)
		}
		return true
	})
	slices.SortFunc(files, func(a, b protoreflect.FileDescriptor) int { return strings.Compare(a.Path(), b.Path()) })
	require.NotEmpty(t, files)
	return files
}

// render writes a file as the tables do: messages in declaration order, each with its fields in declaration order and
// then what is nested in it, then enums with their values in declaration order.
func render(file protoreflect.FileDescriptor) string {
	var b strings.Builder
	fmt.Fprintf(&b, "file %s package %s\n", file.Path(), file.Package())
	renderLevel(&b, file)
	return b.String()
}

type level interface {
	Messages() protoreflect.MessageDescriptors
	Enums() protoreflect.EnumDescriptors
}

func renderLevel(b *strings.Builder, scope level) {
	for i := range scope.Messages().Len() {
		message := scope.Messages().Get(i)
		if message.IsMapEntry() {
			continue
		}
		fmt.Fprintf(b, "message %s\n", message.FullName())
		for j := range message.Fields().Len() {
			fmt.Fprintf(b, "  %s\n", renderField(message.Fields().Get(j)))
		}
		renderLevel(b, message)
	}
	for i := range scope.Enums().Len() {
		enum := scope.Enums().Get(i)
		fmt.Fprintf(b, "enum %s\n", enum.FullName())
		for j := range enum.Values().Len() {
			value := enum.Values().Get(j)
			fmt.Fprintf(b, "  %d %s", value.Number(), value.Name())
			if value.Options().(*descriptorpb.EnumValueOptions).GetDeprecated() {
				b.WriteString(" deprecated")
			}
			b.WriteString("\n")
		}
	}
}

func renderField(field protoreflect.FieldDescriptor) string {
	kind := typeName(field)
	if field.IsMap() {
		kind = fmt.Sprintf("map<%s,%s>", typeName(field.MapKey()), typeName(field.MapValue()))
	}
	line := fmt.Sprintf("%d %s %s %s", field.Number(), field.Cardinality(), kind, field.Name())
	if field.HasDefault() {
		line += " default=" + defaultText(field)
	}
	if field.Options().(*descriptorpb.FieldOptions).GetDeprecated() {
		line += " deprecated"
	}
	if oneof := field.ContainingOneof(); oneof != nil {
		line += " oneof=" + string(oneof.Name())
	}
	return line
}

func typeName(field protoreflect.FieldDescriptor) string {
	switch {
	case field.Message() != nil:
		return string(field.Message().FullName())
	case field.Enum() != nil:
		return string(field.Enum().FullName())
	default:
		return field.Kind().String()
	}
}

func defaultText(field protoreflect.FieldDescriptor) string {
	if value := field.DefaultEnumValue(); value != nil {
		return string(value.Name())
	}
	return field.Default().String()
}

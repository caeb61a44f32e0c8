package mesosjson_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/mesos-modules/mms/facade/mesos/slave"
	_ "github.com/mesos-modules/mms/facade/mesos/v1"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/master"
	_ "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// golden is a message and the JSON it has, written by hand from what is known of Mesos.
type golden struct {
	name    string
	message proto.Message
	stored  bool
	pretty  []byte // with white space that is easy on the eye
}

// text is the JSON as it is on the wire.
func (g golden) text(t testing.TB) []byte {
	t.Helper()
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, g.pretty))
	return compact.Bytes()
}

func goldens(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(files), 20)
	var all []golden
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		require.Len(t, archive.Files, 2, file)
		require.NotEmpty(t, archive.Comment, "%s does not say what it shows", file)
		name, ok := strings.CutPrefix(archive.Files[0].Name, "message: ")
		require.True(t, ok, file)
		g := golden{
			name:    strings.TrimSuffix(filepath.Base(file), ".txtar"),
			message: newMessage(t, protoreflect.FullName(name)),
			stored:  archive.Files[1].Name == "stored",
			pretty:  archive.Files[1].Data,
		}
		require.NoError(t, partial.Unmarshal(archive.Files[0].Data, g.message), file)
		all = append(all, g)
	}
	return all
}

// partial reads messages that lack what is required, as some of those written do.
var partial = prototext.UnmarshalOptions{AllowPartial: true}

func newMessage(t testing.TB, name protoreflect.FullName) proto.Message {
	t.Helper()
	typ, err := protoregistry.GlobalTypes.FindMessageByName(name)
	require.NoError(t, err)
	return typ.New().Interface()
}

func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			assert.Equal(t, string(g.text(t)), string(written(t, g)))
			for form, text := range map[string][]byte{"compact": g.text(t), "pretty": g.pretty} {
				read := g.message.ProtoReflect().New().Interface()
				require.NoError(t, mesosjson.Unmarshal(text, read), form)
				// What is written says more than the message: defaults are set when they come back.
				want := proto.Clone(g.message)
				setDefaults(want.ProtoReflect())
				assert.True(t, proto.Equal(want, read), "%s: %v", form, read)
			}
		})
	}
}

func written(t testing.TB, g golden) []byte {
	t.Helper()
	if !g.stored {
		text, err := mesosjson.Marshal(g.message)
		require.NoError(t, err)
		return text
	}
	var to bytes.Buffer
	e := mesosjson.NewEncoder(&to)
	e.StoredMessage(g.message)
	require.NoError(t, e.Close())
	return to.Bytes()
}

// setDefaults sets, in a message and all in it, what the writer writes unasked. The list is that of Mesos, typed here a
// second time.
func setDefaults(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		switch {
		case !m.Has(fd):
			if slices.Contains(defaults, strings.TrimPrefix(string(fd.FullName()), "mesos.v1.")) {
				m.Set(fd, fd.Default())
			}
		case fd.IsMap():
			if fd.MapValue().Message() != nil {
				m.Get(fd).Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					setDefaults(v.Message())
					return true
				})
			}
		case fd.Message() == nil:
		case fd.IsList():
			for i := range m.Get(fd).List().Len() {
				setDefaults(m.Get(fd).List().Get(i).Message())
			}
		default:
			setDefaults(m.Get(fd).Message())
		}
	}
}

var defaults = []string{
	"FrameworkInfo.failover_timeout", "FrameworkInfo.checkpoint", "CheckInfo.delay_seconds", "CheckInfo.interval_seconds",
	"CheckInfo.timeout_seconds", "HealthCheck.delay_seconds", "HealthCheck.interval_seconds", "HealthCheck.timeout_seconds",
	"HealthCheck.consecutive_failures", "HealthCheck.grace_period_seconds", "HealthCheck.HTTPCheckInfo.protocol",
	"HealthCheck.TCPCheckInfo.protocol", "CommandInfo.shell", "CommandInfo.URI.extract", "MasterInfo.port", "AgentInfo.port",
	"CSIPluginInfo.name", "Filters.refuse_seconds", "Environment.Variable.type", "Image.cached",
	"NetworkInfo.IPAddress.protocol", "LinuxInfo.share_cgroups", "ContainerInfo.DockerInfo.network",
	"ContainerInfo.DockerInfo.privileged", "DrainConfig.mark_gone", "master.Call.DrainAgent.mark_gone",
}

func TestDefaultsAreThoseOfMesosAndNoOthers(t *testing.T) {
	var found []string
	protoregistry.GlobalTypes.RangeMessages(func(typ protoreflect.MessageType) bool {
		name := typ.Descriptor().FullName()
		if !strings.HasPrefix(string(name), "mesos.v1.") || typ.Descriptor().IsMapEntry() {
			return true
		}
		var written map[string]json.RawMessage
		text, err := mesosjson.Marshal(typ.New().Interface())
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &written))
		for key := range written {
			found = append(found, strings.TrimPrefix(string(name)+"."+key, "mesos.v1."))
		}
		return true
	})
	assert.ElementsMatch(t, defaults, found)
}

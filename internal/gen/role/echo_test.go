package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/mesos-modules/mms/facade/mesos/handshake"
	_ "github.com/mesos-modules/mms/facade/mesos/module"
	_ "github.com/mesos-modules/mms/facade/mesos/slave"
	_ "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles"
)

var echoRounds = flag.Int("echo.rounds", 40, "how many messages of each kind go through C++ and back")

// echo is a program in C++ that reads and writes every message that has a struct, under the address and undefined behaviour
// sanitizers.
type echo struct {
	messages []protoreflect.MessageType
	in       io.WriteCloser
	out      *bufio.Reader
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	root, dir := rootOf(t), t.TempDir()
	contracts, err := read(root, rowsOf(roles.Table()), nil)
	require.NoError(t, err)
	known, err := readMessages(root)
	require.NoError(t, err)
	var native []contract
	for _, c := range contracts {
		if c.Native {
			native = append(native, c)
		}
	}
	used, err := known.used(native)
	require.NoError(t, err)
	headers, err := messageHeaders(used)
	require.NoError(t, err)

	e := &echo{}
	var includes, table []string
	for _, h := range headers {
		includes = append(includes, "#include <"+h.Path+">\n")
		for _, m := range h.Messages {
			found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(m.ProtoName))
			require.NoError(t, err)
			e.messages = append(e.messages, found)
			table = append(table, "&echo<"+m.Full+">")
		}
	}
	require.Greater(t, len(e.messages), 100)
	source := strings.Join(includes, "") + "#define MESSAGES " + strings.Join(table, ", ") + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "messages.hpp"), []byte(source), 0o600))
	program := filepath.Join(dir, "echo")
	out, err := exec.CommandContext(t.Context(), "g++", "-std=c++11", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
		"-I"+dir, "-I"+filepath.Join(root, "facade", "include"), "-o", program, "testdata/echo.cpp").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	e.in, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	e.out = bufio.NewReader(stdout)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, e.in.Close())
		assert.NoError(t, cmd.Wait(), "a sanitizer found something, or memory was left")
	})
	return e
}

// send returns what came back, or the problem.
func (e *echo) send(t *testing.T, which int, data []byte) (back []byte, problem string) {
	t.Helper()
	frame := binary.NativeEndian.AppendUint32(nil, uint32(which))
	frame = binary.NativeEndian.AppendUint32(frame, uint32(len(data)))
	_, err := e.in.Write(append(frame, data...))
	require.NoError(t, err)
	head := make([]byte, 5)
	_, err = io.ReadFull(e.out, head)
	require.NoError(t, err, "the program ended over a %s: %x", e.messages[which].Descriptor().FullName(), data)
	back = make([]byte, binary.NativeEndian.Uint32(head[1:]))
	_, err = io.ReadFull(e.out, back)
	require.NoError(t, err)
	if head[0] == 0 {
		return nil, string(back)
	}
	return back, ""
}

var deterministic = proto.MarshalOptions{Deterministic: true}

func TestMessagesInCpp(t *testing.T) {
	e := startEcho(t)
	t.Run("come back byte by byte", func(t *testing.T) {
		for which, kind := range e.messages {
			r := rand.New(rand.NewPCG(1, uint64(which)))
			for range *echoRounds {
				m := kind.New()
				fill(r, m, 0)
				data, err := deterministic.Marshal(m.Interface())
				require.NoError(t, err)
				back, problem := e.send(t, which, data)
				require.Empty(t, problem, "%s %x", kind.Descriptor().FullName(), data)
				requireBytes(t, data, back, kind)
			}
		}
	})
	t.Run("are refused where Go refuses them, and else mean the same, whatever the bytes", func(t *testing.T) {
		refused := 0
		for which, kind := range e.messages {
			r := rand.New(rand.NewPCG(2, uint64(which)))
			for range *echoRounds {
				m := kind.New()
				fill(r, m, 0)
				data, err := deterministic.Marshal(m.Interface())
				require.NoError(t, err)
				data = spoil(r, data)
				back, problem := e.send(t, which, data)
				got := kind.New()
				if err := proto.Unmarshal(data, got.Interface()); err != nil {
					refused++
					require.NotEmpty(t, problem, "Go says %v of the %s %x", err, kind.Descriptor().FullName(), data)
					continue
				}
				if problem != "" {
					// A message in two parts, each of which lacks something, is one to Go.
					require.Contains(t, problem, "a required field is not there", "%s %x", kind.Descriptor().FullName(), data)
					continue
				}
				want, err := deterministic.Marshal(got.Interface())
				require.NoError(t, err)
				requireBytes(t, want, back, kind)
			}
		}
		assert.Greater(t, refused, *echoRounds, "hardly anything was spoilt")
	})
	t.Run("that lack a field are named", func(t *testing.T) {
		_, problem := e.send(t, e.index(t, "mesos.v1.TaskID"), nil)
		assert.Equal(t, "a required field is not there: mesos.v1.TaskID.value", problem)
	})
	t.Run("may come in parts", func(t *testing.T) {
		which := e.index(t, "mesos.v1.ContainerID")
		id := []byte{0x0a, 1, 'a'}
		back, problem := e.send(t, which, append([]byte{0x0a, 1, 'x', 0x12, 3, 0x0a, 1, 'p'}, id...))
		assert.Empty(t, problem)
		assert.Equal(t, []byte{0x0a, 1, 'a', 0x12, 3, 0x0a, 1, 'p'}, back, "the last one counts")
	})
	t.Run("take numbers in one field, and keep what is unknown", func(t *testing.T) {
		which := e.index(t, "mesos.slave.ContainerLaunchInfo")
		back, problem := e.send(t, which, []byte{0x22, 2, 1, 2, 0xf8, 0x3f, 5})
		assert.Empty(t, problem)
		assert.Equal(t, []byte{0x20, 1, 0x20, 2, 0xf8, 0x3f, 5}, back)
		_, problem = e.send(t, which, []byte{0x22, 2, 1, 0x80})
		assert.Equal(t, "it ends within a number", problem)
	})
	t.Run("are not read deeper than a stack is", func(t *testing.T) {
		which := e.index(t, "mesos.v1.ContainerID")
		nest := func(depth int) []byte {
			data := []byte{0x0a, 0}
			for range depth {
				data = append(protowire.AppendBytes([]byte{0x0a, 0, 0x12}, data), nil...)
			}
			return data
		}
		_, problem := e.send(t, which, nest(100))
		assert.Empty(t, problem)
		_, problem = e.send(t, which, nest(101))
		assert.Equal(t, "messages are nested too deep", problem)
		groups := strings.Repeat("\xfb\x3f", 1<<16)
		_, problem = e.send(t, which, append([]byte{0x0a, 0}, groups...))
		assert.Equal(t, "groups are nested too deep", problem)
	})
	t.Run("do not make much of little", func(t *testing.T) {
		which := e.index(t, "mesos.slave.ContainerLaunchInfo")
		_, problem := e.send(t, which, []byte(strings.Repeat("\xaa\x01\x00", 1<<20+1))) // masked_paths
		assert.Equal(t, "it holds too much", problem)
	})
}

// requireBytes says only where two long texts begin to differ.
func requireBytes(t *testing.T, want, got []byte, kind protoreflect.MessageType) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	require.Failf(t, "other bytes", "%s, from byte %d on: want %x, got %x", kind.Descriptor().FullName(), at,
		want[at:min(at+20, len(want))], got[at:min(at+20, len(got))])
}

func (e *echo) index(t *testing.T, name protoreflect.FullName) int {
	t.Helper()
	for i, m := range e.messages {
		if m.Descriptor().FullName() == name {
			return i
		}
	}
	require.Fail(t, "no message", name)
	return 0
}

// maxFilled is how deep fill goes where it need not.
const maxFilled = 4

// fill sets required fields, and others by chance.
func fill(r *rand.Rand, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Cardinality() != protoreflect.Required && (r.IntN(3) > 0 || f.Message() != nil && depth >= maxFilled) {
			continue
		}
		switch {
		case f.IsMap():
			all := m.Mutable(f).Map()
			for range r.IntN(4) {
				v := all.NewValue()
				if f.MapValue().Message() != nil {
					fill(r, v.Message(), depth+1)
				} else {
					v = scalarOf(r, f.MapValue())
				}
				all.Set(scalarOf(r, f.MapKey()).MapKey(), v)
			}
		case f.IsList():
			all := m.Mutable(f).List()
			for range r.IntN(4) {
				v := all.NewElement()
				if f.Message() != nil {
					fill(r, v.Message(), depth+1)
				} else {
					v = scalarOf(r, f)
				}
				all.Append(v)
			}
		case f.Message() != nil:
			fill(r, m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, scalarOf(r, f))
		}
	}
	if r.IntN(8) == 0 {
		b := protowire.AppendTag(nil, protowire.Number(2000+r.IntN(1<<20)), protowire.BytesType)
		b = protowire.AppendString(b, textOf(r))
		b = protowire.AppendTag(b, 3000, protowire.StartGroupType)
		b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), r.Uint64())
		b = protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), r.Uint32())
		m.SetUnknown(protowire.AppendTag(b, 3000, protowire.EndGroupType))
	}
}

func scalarOf(r *rand.Rand, f protoreflect.FieldDescriptor) protoreflect.Value {
	number := r.Uint64() >> r.IntN(64)
	if r.IntN(4) == 0 {
		number = -number
	}
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(number&1 == 0)
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		if r.IntN(8) == 0 {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(number))) // one that nobody knows
		}
		return protoreflect.ValueOfEnum(values.Get(r.IntN(values.Len())).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(number))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(number))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(number))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(number)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(math.Float32frombits(uint32(number)))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(math.Float64frombits(r.Uint64()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(textOf(r)))
	default:
		return protoreflect.ValueOfString(textOf(r))
	}
}

func textOf(r *rand.Rand) string {
	b := make([]byte, r.IntN(20))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// spoil changes, cuts, adds and moves a few bytes.
func spoil(r *rand.Rand, data []byte) []byte {
	data = append([]byte{}, data...)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(data) + 1)
		switch r.IntN(5) {
		case 0:
			data = data[:at]
		case 1:
			data = append(data[:at:at], append([]byte(textOf(r)), data[at:]...)...)
		case 2:
			data = append(data, data[at:]...)
		default:
			if at < len(data) {
				data[at] ^= 1 << r.IntN(8)
			}
		}
	}
	return data
}

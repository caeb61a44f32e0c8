package mesosjson_test

import (
	"io"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

// benchmarked are a heartbeat, an offer, a subscription, and an answer of ten thousand tasks.
func benchmarked(b *testing.B) map[string]proto.Message {
	b.Helper()
	all := map[string]proto.Message{"tasks": tasks(10_000)}
	for _, g := range goldens(b) {
		switch g.name {
		case "heartbeat", "resource_shapes", "framework_full":
			all[g.name] = g.message
		}
	}
	return all
}

var shapes = []string{"heartbeat", "framework_full", "resource_shapes", "tasks"}

func BenchmarkMarshal(b *testing.B) {
	messages := benchmarked(b)
	for _, shape := range shapes {
		m := messages[shape]
		text, err := mesosjson.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(shape+"/ours", func(b *testing.B) {
			measure(b, len(text), func() error {
				text, err = mesosjson.Append(text[:0], m)
				return err
			})
		})
		b.Run(shape+"/streamed", func(b *testing.B) {
			measure(b, len(text), func() error { return mesosjson.Write(io.Discard, m) })
		})
		b.Run(shape+"/protojson", func(b *testing.B) {
			measure(b, len(text), func() error {
				_, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
				return err
			})
		})
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	messages := benchmarked(b)
	for _, shape := range shapes {
		text, err := mesosjson.Marshal(messages[shape])
		if err != nil {
			b.Fatal(err)
		}
		m := messages[shape].ProtoReflect().New().Interface()
		b.Run(shape+"/ours", func(b *testing.B) {
			measure(b, len(text), func() error { return mesosjson.Unmarshal(text, m) })
		})
		b.Run(shape+"/protojson", func(b *testing.B) {
			measure(b, len(text), func() error {
				return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, m)
			})
		})
	}
}

func measure(b *testing.B, size int, run func() error) {
	b.Helper()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

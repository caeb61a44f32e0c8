package nativetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/modules/isolator/command"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Random messages make the same documents as in Go, but for how numbers are written, and their answers mean the same.
func TestCommandDocumentsAreThoseOfTheTwin(t *testing.T) {
	folder := t.TempDir()
	program := shell(t, "cat >"+folder+"/document; cat "+folder+"/answer")
	pairs := []string{"prepare", program, "recover", program, "usage", program}
	native, _ := commands(t, pairs...)
	twin := moduletest.Load[isolator.Isolator](moduletest.New(t, command.Library, commandOptions(pairs)...), command.Name)
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 25 {
		config := &slave.ContainerConfig{Directory: proto.String("/sandbox"), CommandInfo: &mesosv1.CommandInfo{}}
		fillMessage(r, config.ProtoReflect(), 0)
		container := id("parent", fmt.Sprint("child ", round))
		info := &slave.ContainerLaunchInfo{}
		fillMessage(r, info.ProtoReflect(), 0)
		answer, err := mesosjson.Marshal(info)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(folder+"/answer", answer, 0o600))

		var documents, answers []string
		for _, i := range []isolator.Isolator{twin, native} {
			got, err := i.Prepare(t.Context(), container, config)
			require.NoError(t, err)
			text, err := mesosjson.Marshal(got)
			require.NoError(t, err)
			answers = append(answers, string(text))
			document, err := os.ReadFile(folder + "/document")
			require.NoError(t, err)
			// Through the same reader and writer, so that 1e+21 is 1e21.
			_, rest, found := strings.Cut(string(document), `"config":`)
			require.True(t, found)
			read := &slave.ContainerConfig{}
			require.NoError(t, mesosjson.Unmarshal([]byte(strings.TrimSuffix(rest, "}\n")), read))
			text, err = mesosjson.Marshal(read)
			require.NoError(t, err)
			documents = append(documents, string(text))
		}
		require.Equal(t, documents[0], documents[1], "round %d", round)
		require.Equal(t, answers[0], answers[1], "round %d", round)
		assert.Equal(t, string(answer), answers[1])
	}
}

// Answers that are not as they are written mean the same, or are wrong, in both.
func TestCommandAnswersAreReadAsByTheTwin(t *testing.T) {
	folder := t.TempDir()
	program := shell(t, "cat "+folder+"/answer")
	native, _ := commands(t, "prepare", program, "usage", program)
	twin := moduletest.Load[isolator.Isolator](moduletest.New(t, command.Library, commandOptions([]string{"prepare", program, "usage", program})...), command.Name)
	for _, c := range []struct {
		step, text string
		wrong      bool
	}{
		{"prepare", " \n\t ", false},
		{"prepare", "null", true},
		{"prepare", "{}", false},
		{"prepare", `{"rootfs":null,"unknown":{"a":[1,{}]}}`, false},
		{"prepare", `{"rootfs":"\u00e9\ud83d\ude00\n\/\u20ac"}`, false},
		{"prepare", `{"rootfs":"\ud83d\n"}`, true},
		{"prepare", `{"rootfs":"\ude00"}`, true},
		{"prepare", `{"rootfs":"a","rootfs":"b"}`, false},
		{"prepare", `{"rootfs":1}`, true},
		{"prepare", `{"rootfs":"a"`, true},
		{"prepare", `{"rootfs":"a"} x`, true},
		{"prepare", `{"rootfs":"a",}`, true},
		{"prepare", `{"clone_namespaces":[1,"2",3.7,[4,null]]}`, false},
		{"prepare", `{"clone_namespaces":5}`, false},
		{"prepare", `{"clone_namespaces":[1e300]}`, true},
		{"prepare", `{"clone_namespaces":["x"]}`, true},
		{"prepare", `{"no_new_privileges":"true"}`, false},
		{"prepare", `{"no_new_privileges":1}`, true},
		{"prepare", `{"environment":{"variables":{"name":"A","type":"NO_SUCH_TYPE"}}}`, false},
		{"prepare", `{"environment":{"variables":[{"name":"A","type":1}]}}`, true},
		{"prepare", `{"mounts":[{"source":"/a"}]}`, true},
		{"prepare", `{"effective_capabilities":{"capabilities":["CHOWN","NO_SUCH","KILL"]}}`, false},
		{"prepare", strings.Repeat("[", 300), true},
		{"prepare", `{"rootfs":"` + "\x01" + `"}`, true},
		{"prepare", `{"rootfs":"\x"}`, true},
		{"prepare", `[1]`, true},
		{"usage", `{"timestamp":1.5,"cpus_limit":"Infinity"}`, false},
		{"usage", `{"timestamp":"2"}`, false},
		{"usage", `{"timestamp":01}`, false},
		{"usage", `{"timestamp":1,"processes":99999999999999999999}`, true},
		{"usage", `{"timestamp":1,"processes":-1}`, false},
		{"usage", `{"timestamp":1,"mem_rss_bytes":18446744073709551615}`, false},
		{"usage", `{"timestamp":true}`, true},
	} {
		t.Run(fmt.Sprintf("%.60q", c.text), func(t *testing.T) {
			require.NoError(t, os.WriteFile(folder+"/answer", []byte(c.text), 0o600))
			var said []string
			for _, i := range []isolator.Isolator{twin, native} {
				var got proto.Message
				var err error
				if c.step == "usage" {
					got, err = i.Usage(t.Context(), id("c"))
				} else {
					got, err = i.Prepare(t.Context(), id("c"), config())
				}
				if c.wrong {
					assert.ErrorContains(t, err, "its answer: ")
					continue
				}
				require.NoError(t, err)
				text, err := mesosjson.Marshal(got)
				require.NoError(t, err)
				said = append(said, string(text))
			}
			if !c.wrong {
				assert.Equal(t, said[0], said[1])
			}
		})
	}
}

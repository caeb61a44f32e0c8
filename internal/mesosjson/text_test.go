package mesosjson

import (
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestDoubles(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1: "-1.0", 15: "15.0", 0.1: "0.1", 2.5: "2.5",
		1.0 / 3: "0.3333333333333333", 5050: "5050.0", 1450000000.123456: "1450000000.123456",
		1e-6: "0.000001", 1.5e-6: "0.0000015", 9.99e-7: "9.99e-7", 1e-7: "1e-7", -1.5e-7: "-1.5e-7", 1e-10: "1e-10",
		123456789012345680000: "123456789012345680000.0", 1e20: "100000000000000000000.0", 1e21: "1e21", -1e21: "-1e21",
		1.5e22: "1.5e22", 1e100: "1e100", 1e-100: "1e-100", 5e-324: "5e-324",
		math.MaxFloat64: "1.7976931348623157e308", 1 << 53: "9007199254740992.0",
		math.Inf(1): `"Infinity"`, math.Inf(-1): `"-Infinity"`,
	} {
		assert.Equal(t, want, string(appendDouble(nil, f)))
		assert.Equal(t, "e"+want, string(appendDouble([]byte("e"), f)), "what stands before is left alone")
	}
	assert.Equal(t, "-0.0", string(appendDouble(nil, math.Copysign(0, -1))))
	assert.Equal(t, `"NaN"`, string(appendDouble(nil, math.NaN())))
}

func TestDoublesReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		f := math.Float64frombits(random.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		text := string(appendDouble(nil, f))
		back, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, f, back)
		require.True(t, json.Valid([]byte(text)), text)
		require.True(t, strings.ContainsAny(text, ".e"), text)
		require.False(t, strings.ContainsAny(text, "+E"), text)
	}
}

func TestStrings(t *testing.T) {
	for s, want := range map[string]string{
		"":                                       `""`,
		"plain":                                  `"plain"`,
		"/<>&'\u007f\u2028":                      "\"/<>&'\u007f\u2028\"",
		"\"\\":                                   `"\"\\"`,
		"\b\f\n\r\t":                             `"\b\f\n\r\t"`,
		"a\x00b\x1fc\x0b":                        `"a\u0000b\u001Fc\u000B"`,
		"grün 𝄞":                                 `"grün 𝄞"`,
		"a\xffb":                                 "\"a\ufffdb\"",
		"\xc3":                                   "\"\ufffd\"",
		"\xed\xa0\x80":                           "\"\ufffd\ufffd\ufffd\"",
		"\ufffd":                                 "\"\ufffd\"",
		"\xf0\x9d\x84":                           "\"\ufffd\ufffd\ufffd\"",
		"\n" + strings.Repeat("long", 100) + "x": `"\n` + strings.Repeat("long", 100) + `x"`,
	} {
		assert.Equal(t, want, string(appendString(nil, s)))
		assert.Equal(t, want, string(appendString(nil, []byte(s))))
		assert.True(t, json.Valid(appendString(nil, s)))
	}
}

func TestUnescapeUndoesEscapes(t *testing.T) {
	for text, want := range map[string]string{
		``: "", `plain`: "plain", `\"\\\/\b\f\n\r\t`: "\"\\/\b\f\n\r\t", `\u0041\u00e9\u20AC`: "Aé€",
		`a\ud834\udd1eb`: "a𝄞b", `\u0000`: "\x00", `x\ny`: "x\ny",
	} {
		assert.Equal(t, want, string(unescape([]byte(text))))
	}
}

func TestBase64(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "aGVsbG8=": "hello", "aGVsbG8": "hello", "aGVs bG\n8=": "hello", "YQ": "a", "YQ==junk!": "a", "+/+/": "\xfb\xff\xbf",
		"YWJjZ": "abc", "Z": "",
	} {
		decoded, at := decodeBase64([]byte(text))
		assert.Equal(t, -1, at)
		assert.Equal(t, want, string(decoded), text)
	}
	for text, want := range map[string]int{"-_": 0, "YQ.": 2, "Ä": 0} {
		_, at := decodeBase64([]byte(text))
		assert.Equal(t, want, at, text)
	}
}

func TestALargeBufferIsGivenBack(t *testing.T) {
	e := NewEncoder(io.Discard)
	e.String(strings.Repeat("a", 1<<20))
	assert.Greater(t, cap(e.buf), 1<<20)
	require.NoError(t, e.Close())
	assert.Less(t, cap(e.buf), 256<<10)
}

func TestPlacesForFieldsAreUsedAgain(t *testing.T) {
	var labels mesosv1.Labels
	text := []byte(`{"labels":[` + strings.Repeat(`{"key":"a"},`, 1000) + `{"key":"a"}]}`)
	tokens, err := Limits{}.scan(text)
	require.NoError(t, err)
	d := newDecoder(text, tokens)
	require.NoError(t, d.root(labels.ProtoReflect(), 0))
	assert.Len(t, labels.GetLabels(), 1001)
	assert.Empty(t, d.found)
	assert.LessOrEqual(t, cap(d.found), 16)
	assert.Empty(t, d.path)
}

func TestLayoutsAreFoundByManyAtOnce(t *testing.T) {
	layouts.Clear()
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for _, m := range []proto.Message{&mesosv1.TaskInfo{}, &mesosv1.ContainerID{}, &mesosv1.Offer{}} {
				text, err := Marshal(m)
				assert.NoError(t, err)
				assert.Equal(t, "{}", string(text))
			}
		})
	}
	done.Wait()
	md := (&mesosv1.TaskInfo{}).ProtoReflect().Descriptor()
	assert.Same(t, layoutOf(md), layoutOf(md))
}

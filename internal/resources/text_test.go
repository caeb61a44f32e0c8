package resources

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, role, want string }{
		{"every type", "cpus:4;mem:1024;ports:[31000-32000];volumes:{a,b};gpus:1", "*",
			"cpus:4; mem:1024; ports:[31000-32000]; volumes:{a, b}; gpus:1"},
		{"a role", "cpus(web):1;cpus(*):2;cpus:3", "*", "cpus(reservations: [(STATIC,web)]):1; cpus:5"},
		{"a role of a role", "disk(a/b):100", "*", "disk(reservations: [(STATIC,a/b)]):100"},
		{"a default role", "cpus:1;mem(*):5", "web", "cpus(reservations: [(STATIC,web)]):1; mem:5"},
		{"spaces", " cpus : 4 ; mem ( web ) : 1 024 ; ports : [ 1 - 2 , 5-6 ] ", "*",
			"cpus:4; mem(reservations: [(STATIC,web)]):1024; ports:[1-2, 5-6]"},
		{"a name with a space in it", "c p us:1", "*", "c p us:1"},
		{"empty entries", ";;cpus:1;;", "*", "cpus:1"},
		{"colons too many", "cpus::1:", "*", "cpus:1"},
		{"text behind the role", "cpus(web)x:1", "*", "cpus(reservations: [(STATIC,web)]):1"},
		{"one name twice", "cpus:1;cpus:0.5;ports:[1-5];ports:[4-9]", "*", "cpus:1.5; ports:[1-9]"},
		{"nothing of something", "cpus:0;mem:1;ports:[];zone:{}", "*", "mem:1"},
		{"nothing at all", "", "*", "{}"},
		{"one name with two types, one of them empty", "x:0;x:{a}", "*", "x:{a}"},
		{"only separators", " ; ;", "*", ""},
		{"numbers of all kinds", "a:1e3;b:.5;c:1.;d:+2;e:0.0005;f:-0", "*", "a:1000; b:0.5; c:1; d:2; e:0.001"},
		{"ranges written loosely", "ports:[1,2][0x10-0x1F]", "*", "ports:[1-2, 16-31]"},
		{"ranges that overlap", "ports:[1-3,2-5]", "*", "ports:[1-5]"},
		{"line breaks inside brackets", "ports:[1-2\n,4-5];s:{a,\nb}", "*", "ports:[1-2, 4-5]; s:{a, b}"},
		{"JSON", `[{"name":"cpus","type":"SCALAR","scalar":{"value":1.5}}]`, "*", "cpus:1.5"},
		{"JSON with a default role", ` [{"name":"cpus","type":"SCALAR","scalar":{"value":1}},
			{"name":"mem","type":"SCALAR","scalar":{"value":1},"role":"*"}] `, "web",
			"cpus(reservations: [(STATIC,web)]):1; mem:1"},
		{"JSON of nothing", "[]", "*", "{}"},
		{"a name that looks like JSON", "[x]:1", "*", "[x]:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse(c.text, c.role)
			if c.want == "" {
				require.ErrorContains(t, err, "missing or extra ':'")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, r.String())
		})
	}
}

func TestParseRefuses(t *testing.T) {
	disk := func(rest string) string {
		return `[{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"web",` + rest + `}]`
	}
	for _, c := range []struct{ name, text, want string }{
		{"no colon", "cpus", "missing or extra ':'"},
		{"two values", "cpus:1:2", "missing or extra ':'"},
		{"no name", ":1", "missing or extra ':'"},
		{"an empty name", " :1", "name is empty"},
		{"no value", "cpus: ", "value is empty"},
		{"a role that is not closed", "cpus(web:1", "mismatched parentheses"},
		{"a role that is closed first", "cpus)web(:1", "mismatched parentheses"},
		{"a role that is closed twice", "cpus)(web):1", "mismatched parentheses"},
		{"an empty role", "cpus():1", "role must not be empty"},
		{"a bad role", "cpus(a//b):1", "two in a row"},
		{"text", "cpus:many", `"many" is no number`},
		{"infinity", "cpus:inf", "is no number"},
		{"no number", "cpus:nan", "is no number"},
		{"hexadecimal", "cpus:0x10", "is no number"},
		{"less than nothing", "cpus:-1", "value -1 <= 0"},
		{"too little", "cpus:0.0004", "value 0.0004 <= 0"},
		{"too much", "cpus:1e300", "too large"},
		{"half a GPU", "gpus:0.5", "must be an unsigned integer"},
		{"a range with one end", "ports:[1]", "one end"},
		{"a range without numbers", "ports:[a-b]", "no whole number"},
		{"a range beyond 64 bits", "ports:[1-18446744073709551616]", "no whole number"},
		{"an inverted range", "ports:[5-1,1-9]", "ends before it begins"},
		{"an open bracket", "ports:[1-2", "do not match"},
		{"a bracket in the middle", "ports:1[2-3]", "unexpected ["},
		{"a brace in the middle", "ports:a{b}", "unexpected {"},
		{"an item twice", "zone:{a,b,a}", `"a" twice`},
		{"two types", "x:1;x:{a}", "different types"},
		{"a persistent volume", disk(`"disk":{"persistence":{"id":"x"}}`), "persistent volumes cannot"},
		{"revocable", disk(`"revocable":{}`), "revocable resources cannot"},
		{"a dynamic reservation", disk(`"reservation":{"principal":"p"}`), "dynamic reservations cannot"},
		{"a long text", strings.Repeat("a", MaxText+1), "longer than"},
		{"broken JSON", `[{"name":}]`, "no JSON array"},
		{"JSON and more", `[]x`, "behind the array"},
		{"JSON without what it needs", `[{"role":"a"}]`, "missing required fields: name, type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse(c.text, AnyRole)
			require.ErrorContains(t, err, c.want)
			assert.True(t, r.Empty())
		})
	}
	t.Run("everything wrong at once", func(t *testing.T) {
		_, err := Parse("cpus;mem:x;ports:[1-2];gpus:", AnyRole)
		assert.ErrorContains(t, err, `"cpus"`)
		assert.ErrorContains(t, err, `"mem:x"`)
		assert.ErrorContains(t, err, `"gpus:"`)
		_, err = Parse("cpus:-1;mem:-1", AnyRole)
		assert.ErrorContains(t, err, `0, "cpus"`)
		assert.ErrorContains(t, err, `1, "mem"`)
	})
}

func TestParseMessagesKeepsWhatIsEmpty(t *testing.T) {
	messages, err := ParseMessages("gpus:0;cpus:0.12345;ports:[]", AnyRole)
	require.NoError(t, err)
	require.Len(t, messages, 3)
	assert.Equal(t, "gpus", messages[0].GetName())
	assert.Equal(t, 0.12345, messages[1].GetScalar().GetValue(), "as it was written")
	assert.NotNil(t, messages[2].Ranges)
}

func TestJSON(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"numbers as strings", `[{"name":"cpus","type":"SCALAR","scalar":{"value":"1.5"}}]`, "cpus:1.5"},
		{"null and unknown fields", `[null,{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":null,"x":[1,{}],"diskInfo":2}]`, "cpus:1"},
		{"one element for a list", `[{"name":"p","type":"RANGES","ranges":{"range":{"begin":1,"end":"2"}}}]`, "p:[1-2]"},
		{"fractions cut", `[{"name":"p","type":"RANGES","ranges":{"range":[{"begin":80.9,"end":1e2}]}}]`, "p:[80-100]"},
		{"the largest number", `[{"name":"p","type":"RANGES","ranges":{"range":[{"begin":18446744073709551615,"end":18446744073709551615}]}}]`,
			"p:[18446744073709551615-18446744073709551615]"},
		{"the last of two keys", `[{"name":"a","name":"b","type":"SCALAR","scalar":{"value":1}}]`, "b:1"},
		{"a set", `[{"name":"s","type":"SET","set":{"item":["b",null,"a"]}}]`, "s:{b, a}"},
		{"reservations", `[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"a"}]}]`,
			"cpus(reservations: [(STATIC,a)]):1"},
		{"a disk", `[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"MOUNT","mount":{"root":"/m"},
			"metadata":{"labels":[{"key":"k"}]}},"volume":{"container_path":"/c","mode":"RW","source":{"type":"SECRET",
			"secret":{"type":"VALUE","value":{"data":"aGk="}}}}}}]`, "disk[MOUNT:/m:/c]:1"},
		{"a map", `[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"volume":{"container_path":"/c","mode":"RO","source":
			{"type":"CSI_VOLUME","csi_volume":{"plugin_name":"p","static_provisioning":{"volume_id":"v","volume_capability":{"access_mode":{"mode":"SINGLE_NODE_WRITER"}},
			"volume_context":{"a":"b"},"readonly":"true"}}}}}}]`, "disk[:/c]:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			messages, err := parseJSON(c.text, AnyRole)
			require.NoError(t, err)
			assert.Equal(t, c.want, of(t, messages...).String())
		})
	}
	for _, c := range []struct{ name, text, want string }{
		{"an unknown type", `[{"name":"a","type":"COLOUR"}]`, "missing required fields: type"},
		{"a number as type", `[{"name":"a","type":0}]`, "type: expected a value of type enum"},
		{"a number as name", `[{"name":1,"type":"SCALAR"}]`, "name: expected a value of type string"},
		{"an array as scalar", `[{"name":"a","type":"SCALAR","scalar":[{"value":1}]}]`, "scalar: expected an object"},
		{"an object as number", `[{"name":"a","type":"SCALAR","scalar":{"value":{}}}]`, "value: expected a value of type double"},
		{"a text as number", `[{"name":"a","type":"SCALAR","scalar":{"value":"NaN"}}]`, `value: "NaN" is no number`},
		{"a negative bound", `[{"name":"p","type":"RANGES","ranges":{"range":[{"begin":-1,"end":2}]}}]`, "does not fit into uint64"},
		{"numbers in a map of texts", `[{"name":"disk","type":"SCALAR","disk":{"volume":{"container_path":"/c","mode":"RO","source":{"csi_volume":{"plugin_name":"p",
			"static_provisioning":{"volume_context":{"b":{},"a":2}}}}}}}]`, "volume_context: expected a value of type string"},
		{"something else", `[1]`, "resource 0 in the JSON: expected an object"},
		{"two of them", `[1,{}]`, "resource 1 in the JSON: missing"},
	} {
		t.Run("refuses "+c.name, func(t *testing.T) {
			_, err := parseJSON(c.text, AnyRole)
			assert.ErrorContains(t, err, c.want)
		})
	}
	t.Run("a bomb", func(t *testing.T) {
		nested := func(levels int) string {
			return `[{"name":"x","type":"SET","set":{"item":[]},"unknown":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "}]"
		}
		_, err := Parse(nested(maxDepth-2), AnyRole)
		require.NoError(t, err)
		_, err = Parse(nested(maxDepth-1), AnyRole)
		require.EqualError(t, err, "the JSON is nested deeper than 200")
		objects := strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth)
		_, err = Parse("["+objects+"]", AnyRole)
		require.EqualError(t, err, "the JSON is nested deeper than 200")
		_, err = Parse(strings.Repeat("[", 20000), AnyRole)
		assert.Error(t, err)
	})
}

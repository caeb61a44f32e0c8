package mesosjson_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// TestReading has a message, a text, and the message as prototext.
func TestReading(t *testing.T) {
	for _, test := range []struct {
		name, message, text, want string
	}{
		{"white space of JSON anywhere", "Filters", "\t\r\n {\n\"refuse_seconds\" :\t1.5\r} \n", `refuse_seconds: 1.5`},
		{"an empty object", "Labels", `{}`, ``},
		{"unknown keys are ignored, whatever they hold", "Filters", `{"x":{"refuse_seconds":[1,{"a":null}]},"refuse_seconds":1,"":0}`, `refuse_seconds: 1`},
		{"camelCase is unknown", "Filters", `{"refuseSeconds":1}`, ``},
		{"other case is unknown", "Filters", `{"Refuse_Seconds":1}`, ``},
		{"a key may have escapes", "Filters", `{"refuse\u005fseconds":1}`, `refuse_seconds: 1`},
		{"null is unset", "ContainerID", `{"value":"a","parent":null}`, `value: "a"`},
		{"an empty object is set", "TaskInfo", `{"name":"","task_id":{"value":""},"agent_id":{"value":""},"labels":{}}`, `name: "" task_id { value: "" } agent_id { value: "" } labels { }`},

		{"a number in a string", "Filters", `{"refuse_seconds":"1.5"}`, `refuse_seconds: 1.5`},
		{"a number in a string with white space", "Filters", `{"refuse_seconds":" 1e1\n"}`, `refuse_seconds: 10`},
		{"a whole number for a double", "Filters", `{"refuse_seconds":5}`, `refuse_seconds: 5`},
		{"a great whole number for a double", "Filters", `{"refuse_seconds":123456789012345678901234567890}`, `refuse_seconds: 1.2345678901234568e29`},
		{"Infinity in a string", "Filters", `{"refuse_seconds":"Infinity"}`, `refuse_seconds: inf`},
		{"-Infinity in a string", "Filters", `{"refuse_seconds":"-Infinity"}`, `refuse_seconds: -inf`},
		{"numbers as strtod has them", "Value.Ranges", `{"range":[{"begin":007,"end":1.},{"begin":1e3,"end":1E+3}]}`, `range { begin: 7 end: 1 } range { begin: 1000 end: 1000 }`},
		{"a number without digits before the point", "Value.Scalar", `{"value":-.5}`, `value: -0.5`},
		{"a double that is nearly nothing", "Value.Scalar", `{"value":1e-999}`, `value: 0`},
		{"-0 is a whole number, and so nothing", "Value.Scalar", `{"value":-0}`, `value: 0`},
		{"-0.0 keeps its sign", "Value.Scalar", `{"value":-0.0}`, `value: -0.0`},

		{"a fraction is cut", "Port", `{"number":80.9}`, `number: 80`},
		{"a fraction in a string is cut", "Port", `{"number":"80.9"}`, `number: 80`},
		{"a negative fraction is cut towards zero", "TimeInfo", `{"nanoseconds":-1.9}`, `nanoseconds: -1`},
		{"an exponent", "TimeInfo", `{"nanoseconds":1.5e9}`, `nanoseconds: 1500000000`},
		{"the greatest int64", "TimeInfo", `{"nanoseconds":9223372036854775807}`, `nanoseconds: 9223372036854775807`},
		{"the least int64", "TimeInfo", `{"nanoseconds":"-9223372036854775808"}`, `nanoseconds: -9223372036854775808`},
		{"the greatest uint64, to the last digit", "Value.Range", `{"begin":18446744073709551615,"end":"9223372036854775809"}`, `begin: 18446744073709551615 end: 9223372036854775809`},
		{"a uint64 by way of a double", "Value.Range", `{"begin":1e19,"end":-0.5}`, `begin: 10000000000000000000 end: 0`},
		{"a whole number is cut to the bits of its field", "Value.Range", `{"begin":-1,"end":0}`, `begin: 18446744073709551615 end: 0`},
		{"also to 32", "Port", `{"number":4294967376}`, `number: 80`},
		{"also to 32 with a sign", "AgentInfo", `{"hostname":"","port":4294967295}`, `hostname: "" port: -1`},

		{"booleans", "CommandInfo", `{"shell":false}`, `shell: false`},
		{"a boolean in a string", "CommandInfo", `{"shell":"false"}`, `shell: false`},
		{"a boolean in a string with white space", "CommandInfo", `{"shell":" true "}`, `shell: true`},

		{"an enum by name", "Image", `{"type":"DOCKER"}`, `type: DOCKER`},
		{"an unknown name is dropped", "Environment.Variable", `{"name":"a","type":"LATER"}`, `name: "a"`},
		{"so is one in a list", "CapabilityInfo", `{"capabilities":["CHOWN","LATER","KILL"]}`, `capabilities: CHOWN capabilities: KILL`},
		{"so is an empty one", "Environment.Variable", `{"name":"a","type":""}`, `name: "a"`},

		{"bytes", "Secret.Value", `{"data":"AAEC/w=="}`, `data: "\x00\x01\x02\xff"`},
		{"bytes without padding", "Secret.Value", `{"data":"AAEC/w"}`, `data: "\x00\x01\x02\xff"`},
		{"bytes with white space", "Secret.Value", `{"data":" AAEC\n/w=="}`, `data: "\x00\x01\x02\xff"`},
		{"no bytes", "Secret.Value", `{"data":""}`, `data: ""`},

		{"a list", "FrameworkInfo", `{"user":"","name":"","roles":["b","a"]}`, `user: "" name: "" roles: "b" roles: "a"`},
		{"one for a list", "FrameworkInfo", `{"user":"","name":"","roles":"a"}`, `user: "" name: "" roles: "a"`},
		{"one object for a list", "Labels", `{"labels":{"key":"a"}}`, `labels { key: "a" }`},
		{"null in a list is nothing", "FrameworkInfo", `{"user":"","name":"","roles":[null,"a",null]}`, `user: "" name: "" roles: "a"`},
		{"lists in a list are one", "FrameworkInfo", `{"user":"","name":"","roles":["a",["b",[["c"]],[]]]}`, `user: "" name: "" roles: "a" roles: "b" roles: "c"`},
		{"an empty list is unset", "Labels", `{"labels":[]}`, ``},
		{"a list of nulls is unset", "Labels", `{"labels":[null]}`, ``},

		{"a map", "OfferFilters.ResourceQuantities", `{"quantities":{"b":{"value":1},"":{"value":2}}}`, `quantities { key: "" value { value: 2 } } quantities { key: "b" value { value: 1 } }`},
		{"an array of maps is one", "OfferFilters.ResourceQuantities", `{"quantities":[{"a":{"value":1}},null,{"a":{"value":2},"b":{"value":3}}]}`, `quantities { key: "a" value { value: 2 } } quantities { key: "b" value { value: 3 } }`},
		{"null in a map is an entry", "FrameworkInfo", `{"user":"","name":"","offer_filters":{"a":null}}`, `user: "" name: "" offer_filters { key: "a" value { } }`},
		{"the last of equal keys in a map", "OfferFilters.ResourceQuantities", `{"quantities":{"a":"not an object","a":{"value":1}}}`, `quantities { key: "a" value { value: 1 } }`},

		{"the last of equal keys", "Filters", `{"refuse_seconds":1,"refuse_seconds":2}`, `refuse_seconds: 2`},
		{"the last of equal keys, though the first are wrong", "Filters", `{"refuse_seconds":{"a":1},"refuse_seconds":true,"refuse_seconds":2}`, `refuse_seconds: 2`},
		{"the last of equal keys, though it says nothing", "Filters", `{"refuse_seconds":1,"refuse_seconds":null}`, ``},
		{"objects under equal keys are not merged", "MachineInfo", `{"id":{"hostname":"a"},"id":{"ip":"b"}}`, `id { ip: "b" }`},
		{"lists under equal keys are not joined", "FrameworkInfo", `{"user":"","name":"","roles":["a"],"roles":["b"]}`, `user: "" name: "" roles: "b"`},
		{"equal but for escapes", "Filters", `{"refuse_seconds":1,"\u0072efuse_seconds":2}`, `refuse_seconds: 2`},

		{"escapes", "Label", `{"key":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud834\uDD1E\u0000"}`, `key: "\"\\/\b\f\n\r\tAé€𝄞\x00"`},
		{"DEL, and text that is not ASCII", "Label", "{\"key\":\"\x7f é 𝄞\"}", `key: "\x7f é 𝄞"`},

		{"a oneof", "scheduler.AttributeConstraint.Selector", `{"attribute_name":"a"}`, `attribute_name: "a"`},
		{"of a oneof the last by name stays, in this order", "scheduler.AttributeConstraint.Selector", `{"attribute_name":"a","pseudoattribute_type":"ZONE"}`, `pseudoattribute_type: ZONE`},
		{"and in that", "scheduler.AttributeConstraint.Selector", `{"pseudoattribute_type":"ZONE","attribute_name":"a"}`, `pseudoattribute_type: ZONE`},
		{"of a oneof null says nothing", "scheduler.AttributeConstraint.Selector", `{"attribute_name":"a","pseudoattribute_type":null}`, `attribute_name: "a"`},
		{"a message of proto3", "master.Call", `{"drain_agent":{"agent_id":{"value":""},"max_grace_period":{"seconds":"600","nanos":5}}}`, `drain_agent { agent_id { value: "" } max_grace_period { seconds: 600 nanos: 5 } }`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := newMessage(t, protoreflect.FullName("mesos.v1."+test.message))
			require.NoError(t, partial.Unmarshal([]byte(test.want), want))
			got := newMessage(t, protoreflect.FullName("mesos.v1."+test.message))
			require.NoError(t, mesosjson.Unmarshal([]byte(test.text), got))
			assert.True(t, proto.Equal(want, got), "got %v", got)
		})
	}
}

func TestReadingFailsForFields(t *testing.T) {
	for _, test := range []struct {
		message, text, path, says string
	}{
		{"Filters", `[]`, "", "an object is expected, not an array"},
		{"Filters", `null`, "", "an object is expected, not null"},
		{"Filters", `"{}"`, "", "an object is expected, not a string"},
		{"Filters", `{"refuse_seconds":true}`, "refuse_seconds", "a boolean where one double is expected"},
		{"Filters", `{"refuse_seconds":{}}`, "refuse_seconds", "an object where one double is expected"},
		{"Filters", `{"refuse_seconds":[1]}`, "refuse_seconds", "an array where one double is expected"},
		{"Filters", `{"refuse_seconds":[]}`, "refuse_seconds", "an array where one double is expected"},
		{"Filters", `{"refuse_seconds":"NaN"}`, "refuse_seconds", `the string "NaN", which is not a number`},
		{"Filters", `{"refuse_seconds":"infinity"}`, "refuse_seconds", `the string "infinity", which is not a number`},
		{"Filters", `{"refuse_seconds":""}`, "refuse_seconds", `the string "", which is not a number`},
		{"Filters", `{"refuse_seconds":"true"}`, "refuse_seconds", `the string "true", which is not a number`},
		{"Filters", `{"refuse_seconds":"1 2"}`, "refuse_seconds", `the string "1 2", which is not a number`},
		{"Filters", `{"refuse_seconds":"[1]"}`, "refuse_seconds", `the string "[1]", which is not a number`},
		{"Filters", `{"refuse_seconds":"0x10"}`, "refuse_seconds", `the string "0x10", which is not a number`},
		{"Filters", `{"refuse_seconds":"1e999"}`, "refuse_seconds", `the string "1e999", which is not a number`},
		{"Port", `{"number":"Infinity"}`, "number", `the string "Infinity", which is not a number`},
		{"Port", `{"number":1e10}`, "number", `"1e10" is out of range for uint32`},
		{"Port", `{"number":-1.5}`, "number", `"-1.5" is out of range for uint32`},
		{"Port", `{"number":"18446744073709551615"}`, "number", `"18446744073709551615" is out of range for uint32`},
		{"TimeInfo", `{"nanoseconds":9223372036854775808}`, "nanoseconds", `"9223372036854775808" is out of range for int64`},
		{"TimeInfo", `{"nanoseconds":-1e300}`, "nanoseconds", `"-1e300" is out of range for int64`},
		{"Value.Range", `{"begin":18446744073709551616}`, "begin", `"18446744073709551616" is out of range for uint64`},
		{"AgentInfo", `{"port":1e10}`, "port", `"1e10" is out of range for int32`},
		{"Label", `{"key":1}`, "key", "a number where one string is expected"},
		{"Label", `{"key":false}`, "key", "a boolean where one string is expected"},
		{"Label", `{"key":["a"]}`, "key", "an array where one string is expected"},
		{"CommandInfo", `{"shell":1}`, "shell", "a number where one bool is expected"},
		{"CommandInfo", `{"shell":"yes"}`, "shell", `the string "yes", which is neither true nor false`},
		{"Image", `{"type":"LATER"}`, "type", `"LATER" is not the name of a mesos.v1.Image.Type`},
		{"Image", `{"type":"docker"}`, "type", `"docker" is not the name of a mesos.v1.Image.Type`},
		{"Image", `{"type":2}`, "type", "a number where one name of a mesos.v1.Image.Type is expected"},
		{"Environment.Variable", `{"type":0}`, "type", "a number where one name of a mesos.v1.Environment.Variable.Type is expected"},
		{"Environment.Variable", `{"type":true}`, "type", "a boolean where one name of a mesos.v1.Environment.Variable.Type is expected"},
		{"Secret.Value", `{"data":"AAEC_w"}`, "data", "'_' is not a character of base64"},
		{"Secret.Value", `{"data":1}`, "data", "a number where one base64 string is expected"},
		{"ContainerID", `{"parent":"a"}`, "parent", "a string where an object is expected"},
		{"ContainerID", `{"parent":1}`, "parent", "a number where one object is expected"},
		{"ContainerID", `{"parent":[{"value":"a"}]}`, "parent", "an array where one object is expected"},
		{"Labels", `{"labels":[{"key":"a"},null,{"key":["b"]}]}`, "labels[2].key", "an array where one string is expected"},
		{"Labels", `{"labels":[[{"key":1}]]}`, "labels[0][0].key", "a number where one string is expected"},
		{"Labels", `{"labels":{"key":1}}`, "labels.key", "a number where one string is expected"},
		{"OfferFilters.ResourceQuantities", `{"quantities":{"x y":{"value":"z"}}}`, `quantities["x y"].value`, `the string "z", which is not a number`},
		{"OfferFilters.ResourceQuantities", `{"quantities":"a"}`, "quantities", "a string where an object is expected"},
		{"OfferFilters.ResourceQuantities", `{"quantities":{"a":[]}}`, `quantities["a"]`, "an array where one object is expected"},
		{"OfferFilters.ResourceQuantities", `{"quantities":{"a":1}}`, `quantities["a"]`, "a number where one object is expected"},
	} {
		t.Run(test.text, func(t *testing.T) {
			err := mesosjson.Unmarshal([]byte(test.text), newMessage(t, protoreflect.FullName("mesos.v1."+test.message)))
			var field *mesosjson.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, test.path, field.Path)
			assert.Equal(t, test.says, field.Problem)
			assert.EqualError(t, err, strings.TrimPrefix(test.path+": "+test.says, ": "))
		})
	}
}

func TestReadingFailsForSyntax(t *testing.T) {
	for text, says := range map[string]string{
		"":                                       "the text ends where a value is expected at byte 0",
		" \n":                                    "the text ends where a value is expected at byte 2",
		"{":                                      "no key, in quotes, where one is expected at byte 1",
		"}":                                      "'}' where a value is expected at byte 0",
		`{} {}`:                                  "text after the end of the document at byte 3",
		`{},`:                                    "text after the end of the document at byte 2",
		"{}\x00":                                 "text after the end of the document at byte 2",
		"\ufeff{}":                               "'ï' where a value is expected at byte 0",
		`{"a":1,}`:                               "no key, in quotes, where one is expected at byte 7",
		`{"a":[1,]}`:                             "']' where a value is expected at byte 8",
		`{"a":[1 2]}`:                            "neither a comma nor the end of the array after a value at byte 8",
		`{"a":[`:                                 "the text ends where a value is expected at byte 6",
		`{"a":1 "b":2}`:                          "neither a comma nor the end of the object after a value at byte 7",
		`{"a" 1}`:                                "no colon after a key at byte 5",
		`{"a"`:                                   "no colon after a key at byte 4",
		`{"a":`:                                  "the text ends where a value is expected at byte 5",
		`{a:1}`:                                  "no key, in quotes, where one is expected at byte 1",
		`{'a':1}`:                                "no key, in quotes, where one is expected at byte 1",
		`{1:1}`:                                  "no key, in quotes, where one is expected at byte 1",
		`{"a":'b'}`:                              "'\\'' where a value is expected at byte 5",
		`/* */{}`:                                "'/' where a value is expected at byte 0",
		`{}//`:                                   "text after the end of the document at byte 2",
		`{"a":NaN}`:                              "'N' where a value is expected at byte 5",
		`{"a":Infinity}`:                         "'I' where a value is expected at byte 5",
		`{"a":-Infinity}`:                        "a number that is none at byte 5",
		`{"a":+1}`:                               "'+' where a value is expected at byte 5",
		`{"a":.5}`:                               "'.' where a value is expected at byte 5",
		`{"a":0x10}`:                             "neither a comma nor the end of the object after a value at byte 6",
		`{"a":1e}`:                               "a number that is none at byte 5",
		`{"a":1.2.3}`:                            "a number that is none at byte 5",
		`{"a":-}`:                                "a number that is none at byte 5",
		`{"a":1-2}`:                              "a number that is none at byte 5",
		`{"a":1e999}`:                            "a number beyond what a double holds at byte 5",
		`{"a":` + strings.Repeat("1", 310) + `}`: "a number beyond what a double holds at byte 5",
		`{"a":tru}`:                              "'t' where a value is expected at byte 5",
		`{"a":True}`:                             "'T' where a value is expected at byte 5",
		`{"a":nul`:                               "'n' where a value is expected at byte 5",
		`{"a":"b`:                                "the text ends in a string at byte 7",
		`{"a`:                                    "the text ends in a string at byte 3",
		"{\"a\":\"\n\"}":                         "the control character '\\n' in a string at byte 6",
		"{\"a\":\"\x00\"}":                       "the control character '\\x00' in a string at byte 6",
		"{\"a\t\":1}":                            "the control character '\\t' in a string at byte 3",
		`{"a":"\x"}`:                             "an escape that is none in a string at byte 6",
		`{"a":"\`:                                "an escape that is none in a string at byte 6",
		`{"a":"\u12"}`:                           "an escape that is none in a string at byte 6",
		`{"a":"\u12g4"}`:                         "an escape that is none in a string at byte 6",
		`{"a":"\ud834"}`:                         "an escape that is none in a string at byte 6",
		`{"a":"\ud834\u0041"}`:                   "an escape that is none in a string at byte 6",
		`{"a":"\udd1e\ud834"}`:                   "an escape that is none in a string at byte 6",
		`{"a":1,"refuse_seconds":{}}x`:           "text after the end of the document at byte 27",
		`{"refuse_seconds":"a","b":[1}`:          "neither a comma nor the end of the array after a value at byte 28",
	} {
		t.Run(text, func(t *testing.T) {
			m := newMessage(t, "mesos.v1.Filters")
			err := mesosjson.Unmarshal([]byte(text), m)
			var syntax *mesosjson.SyntaxError
			require.ErrorAs(t, err, &syntax)
			assert.EqualError(t, err, says)
			assert.NotErrorIs(t, err, mesosjson.ErrLimit)
			assert.True(t, proto.Equal(newMessage(t, "mesos.v1.Filters"), m), "syntax comes first: nothing is set")
		})
	}
}

func TestReadingNamesAllThatIsMissing(t *testing.T) {
	for _, test := range []struct{ message, text, says string }{
		{"TaskInfo", `{}`, "missing required fields: name, task_id, agent_id"},
		{"TaskInfo", `{"name":null,"task_id":{},"agent_id":{"value":""}}`, "missing required fields: name, task_id.value"},
		{"MasterInfo", `{"id":"a","ip":1}`, "missing required fields: port"},
		{"scheduler.Call", `{"accept":{"operations":[{"launch":{"task_infos":[{"name":"a","task_id":{"value":"a"},"agent_id":{}},{"name":"b"}]}}]}}`,
			"missing required fields: accept.operations[0].launch.task_infos[0].agent_id.value, " +
				"accept.operations[0].launch.task_infos[1].task_id, accept.operations[0].launch.task_infos[1].agent_id"},
		{"OfferFilters.ResourceQuantities", `{"quantities":{"b":{},"a":null,"c":{"value":1}}}`, `missing required fields: quantities["a"].value, quantities["b"].value`},
		{"OfferFilters.ResourceQuantities", `{"quantities":{"a":null}}`, `missing required fields: quantities["a"].value`},
		{"Labels", `{"labels":[` + strings.Repeat("{},", 1000) + `{}]}`, "missing required fields: " + labels(50) + " and more"},
		{"Labels", `{"labels":[` + strings.Repeat("{},", 49) + `{}]}`, "missing required fields: " + labels(50)},
	} {
		t.Run(test.message, func(t *testing.T) {
			err := mesosjson.Unmarshal([]byte(test.text), newMessage(t, protoreflect.FullName("mesos.v1."+test.message)))
			var missing *mesosjson.MissingError
			require.ErrorAs(t, err, &missing)
			assert.EqualError(t, err, test.says)
		})
	}
}

func labels(n int) string {
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf("labels[%d].key", i))
	}
	return strings.Join(paths, ", ")
}

func TestReadingForgetsWhatTheMessageHeld(t *testing.T) {
	m := newMessage(t, "mesos.v1.FrameworkInfo")
	require.NoError(t, mesosjson.Unmarshal([]byte(`{"user":"a","name":"a","roles":["a"],"labels":{}}`), m))
	require.NoError(t, mesosjson.Unmarshal([]byte(`{"user":"b","name":"b"}`), m))
	want := newMessage(t, "mesos.v1.FrameworkInfo")
	require.NoError(t, partial.Unmarshal([]byte(`user: "b" name: "b"`), want))
	assert.True(t, proto.Equal(want, m), "got %v", m)
}

func TestReadingDoesNotKeepTheText(t *testing.T) {
	text := []byte(`{"key":"abc"}`)
	m := newMessage(t, "mesos.v1.Label")
	require.NoError(t, mesosjson.Unmarshal(text, m))
	clear(text)
	assert.Equal(t, "abc", m.ProtoReflect().Get(m.ProtoReflect().Descriptor().Fields().ByName("key")).String())
}

func TestReadingShowsOnlyTheBeginningOfWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	err := mesosjson.Unmarshal([]byte(`{"refuse_seconds":"`+long+`"}`), newMessage(t, "mesos.v1.Filters"))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 200)
	err = mesosjson.Unmarshal([]byte(`{"quantities":{"`+long+`":1}}`), newMessage(t, "mesos.v1.OfferFilters.ResourceQuantities"))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 200)
}

func TestUnmarshalArray(t *testing.T) {
	read := func(text string) ([]*mesosv1.Label, error) {
		return mesosjson.UnmarshalArray[mesosv1.Label]([]byte(text))
	}

	got, err := read(` [ {"key":"a"}, {"key":"b","value":""} ] `)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "a", got[0].GetKey())
	assert.Equal(t, "b", got[1].GetKey())

	got, err = read(`[]`)
	require.NoError(t, err)
	assert.Empty(t, got)

	for text, says := range map[string]string{
		`{"key":"a"}`:               "an array of objects is expected, not an object",
		`[{"key":"a"},null]`:        "[1]: an object is expected, not null",
		`[{"key":"a"},[]]`:          "[1]: an object is expected, not an array",
		`[{"key":"a"},{"key":1}]`:   "[1].key: a number where one string is expected",
		`[{"key":"a"},{}]`:          "missing required fields: [1].key",
		`[{"key":"a"}`:              "neither a comma nor the end of the array after a value at byte 12",
		`[{"key":"a"},{"key":"b"},`: "the text ends where a value is expected at byte 25",
	} {
		got, err := read(text)
		assert.EqualError(t, err, says)
		assert.Nil(t, got)
	}
}

func TestReadingLeavesWhatIsNotUTF8AsItIs(t *testing.T) {
	var label mesosv1.Label
	require.NoError(t, mesosjson.Unmarshal([]byte("{\"key\":\"a\xff\xc3\"}"), &label))
	assert.Equal(t, "a\xff\xc3", label.GetKey())
	text, err := mesosjson.Marshal(&label)
	require.NoError(t, err)
	assert.Equal(t, "{\"key\":\"a\ufffd\ufffd\"}", string(text), "and writes what others can read")
}

func TestInfinityIsReadAsItIsWritten(t *testing.T) {
	for _, f := range []float64{math.Inf(1), math.Inf(-1)} {
		m := newMessage(t, "mesos.v1.Filters")
		m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName("refuse_seconds"), protoreflect.ValueOfFloat64(f))
		text, err := mesosjson.Marshal(m)
		require.NoError(t, err)
		back := newMessage(t, "mesos.v1.Filters")
		require.NoError(t, mesosjson.Unmarshal(text, back))
		assert.True(t, proto.Equal(m, back))
	}
}

package mesosjson_test

import (
	"errors"
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/recordio"
)

func ExampleMarshal() {
	text, err := mesosjson.Marshal(&mesosv1.CommandInfo{
		Uris:  []*mesosv1.CommandInfo_URI{{Value: proto.String("http://host/a.tar.gz")}},
		Value: proto.String("./run"),
	})
	fmt.Println(string(text), err)
	// Output:
	// {"uris":[{"value":"http://host/a.tar.gz","extract":true}],"shell":true,"value":"./run"} <nil>
}

// An event of a stream is a record; it is made where it is sent from.
func ExampleAppend() {
	stream := recordio.NewWriter(os.Stdout, 0)
	err := stream.WriteFunc(func(dst []byte) ([]byte, error) {
		return mesosjson.Append(dst, &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()})
	})
	fmt.Println()
	fmt.Println(err)
	// Output:
	// 20
	// {"type":"HEARTBEAT"}
	// <nil>
}

func ExampleWrite() {
	err := mesosjson.Write(os.Stdout, &mesosv1.DurationInfo{Nanoseconds: proto.Int64(9007199254740993)})
	fmt.Println()
	fmt.Println(err)
	// Output:
	// {"nanoseconds":9007199254740993}
	// <nil>
}

func ExampleLimits() {
	var labels mesosv1.Labels
	err := mesosjson.Limits{Bytes: 16}.Unmarshal([]byte(`{"labels":[{"key":"a"}]}`), &labels)
	fmt.Println(err, errors.Is(err, mesosjson.ErrLimit))
	// Output:
	// more than 16 bytes of text at byte 16 true
}

func ExampleUnmarshal() {
	var filters mesosv1.Filters
	err := mesosjson.Unmarshal([]byte(` { "refuse_seconds": "1.5", "later_versions_know_this": [] } `), &filters)
	fmt.Println(filters.GetRefuseSeconds(), err)
	// Output:
	// 1.5 <nil>
}

func ExampleUnmarshal_missing() {
	var call scheduler.Call
	err := mesosjson.Unmarshal([]byte(`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"x"}}}`), &call)
	fmt.Println(err)
	var missing *mesosjson.MissingError
	fmt.Println(errors.As(err, &missing), missing.Paths)
	// Output:
	// missing required fields: subscribe.framework_info.user
	// true [subscribe.framework_info.user]
}

func ExampleUnmarshalArray() {
	resources, err := mesosjson.UnmarshalArray[mesosv1.Resource]([]byte(
		`[{"name":"cpus","type":"SCALAR","scalar":{"value":4}},{"name":"mem","type":"SCALAR","scalar":{"value":1024}}]`))
	for _, r := range resources {
		fmt.Println(r.GetName(), r.GetScalar().GetValue())
	}
	fmt.Println(err)
	// Output:
	// cpus 4
	// mem 1024
	// <nil>
}

func ExampleEncoder() {
	e, err := mesosjson.NewCallbackEncoder(os.Stdout, "show")
	if err != nil {
		fmt.Println(err)
		return
	}
	e.BeginObject()
	e.Key("activated_slaves")
	e.Double(2)
	e.Key("tasks")
	e.BeginArray()
	e.Message(&mesosv1.TaskID{Value: proto.String("a<b>")})
	e.EndArray()
	e.EndObject()
	err = e.Close()
	fmt.Println()
	fmt.Println(err)
	// Output:
	// show({"activated_slaves":2.0,"tasks":[{"value":"a<b>"}]})
	// <nil>
}

func ExampleAppendCallback() {
	text, err := mesosjson.AppendCallback(nil, "angular.callbacks._0", []byte(`{"uptime":1.5}`))
	fmt.Println(string(text), err)
	_, err = mesosjson.AppendCallback(nil, "alert(1);//", nil)
	fmt.Println(err)
	// Output:
	// angular.callbacks._0({"uptime":1.5}) <nil>
	// the name of the callback has other characters than letters, digits and _$.[] or is not 1 to 256 long
}

package local_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/authorizer/local"
	"github.com/mesos-modules/mms/roles/authorizer"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, local.Library, local.Name)
}

func load(t *testing.T, acls string) (authorizer.Authorizer, error) {
	kit := moduletest.New(t, local.Library, moduletest.Parameter(local.Name, "acls", acls))
	return moduletest.TryLoad[authorizer.Authorizer](kit, local.Name)
}

func register(who string, roles ...string) *authorization.Request {
	r := &authorization.Request{
		Action: authorization.Action_REGISTER_FRAMEWORK.Enum(),
		Object: &authorization.Object{FrameworkInfo: &mesosv1.FrameworkInfo{Roles: roles}},
	}
	if who != "" {
		r.Subject = &authorization.Subject{Value: proto.String(who)}
	}
	return r
}

func TestAuthorize(t *testing.T) {
	runAs := func(user string) *authorization.Request {
		return &authorization.Request{
			Action: authorization.Action_RUN_TASK.Enum(), Subject: &authorization.Subject{Value: proto.String("ann")},
			Object: &authorization.Object{TaskInfo: &mesosv1.TaskInfo{Command: &mesosv1.CommandInfo{User: &user}},
				FrameworkInfo: &mesosv1.FrameworkInfo{User: proto.String("framework")}},
		}
	}
	const annOnly = `{"register_frameworks": [
		{"principals": {"values": ["ann"]}, "roles": {"values": ["web", "eng/%"]}},
		{"principals": {"type": "ANY"}, "roles": {"type": "NONE"}}]}`
	for _, c := range []struct {
		name, acls string
		request    *authorization.Request
		want       bool
	}{
		{"without lists everything is allowed", `{}`, register("eve", "web"), true},
		{"permissive false forbids what no entry is about", `{"permissive": false}`, register("eve", "web"), false},
		{"the first entry about it decides", annOnly, register("ann", "web"), true},
		{"a role below a listed one is listed", annOnly, register("ann", "eng/web"), true},
		{"the listed one itself is not below it", annOnly, register("ann", "eng"), false},
		{"all roles of a framework have to be listed", annOnly, register("ann", "web", "db"), false},
		{"an entry for none forbids", annOnly, register("eve", "web"), false},
		{"who is not known is held to the entries for all", annOnly, register("", "web"), false},
		{"a single entry is a list", `{"run_tasks": {"principals": {"type": "ANY"}, "users": {"values": ["nobody"]}}, "permissive": false}`, runAs("nobody"), true},
		{"the command's user counts", `{"run_tasks": {"principals": {"type": "ANY"}, "users": {"values": ["framework"]}}, "permissive": false}`, runAs("root"), false},
		{"the framework's user counts for a command without one", `{"run_tasks": {"principals": {"type": "ANY"}, "users": {"values": ["framework"]}}, "permissive": false}`, runAs(""), true},
		{"two lists both have to allow", `{"launch_nested_containers_as_user": {"principals": {"type": "ANY"}, "users": {"type": "NONE"}}}`,
			&authorization.Request{Action: authorization.Action_LAUNCH_NESTED_CONTAINER.Enum()}, false},
		{"an action without a list is held to permissive", `{"permissive": false}`, &authorization.Request{Action: authorization.Action_UNKNOWN.Enum()}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := load(t, c.acls)
			require.NoError(t, err)
			got, err := a.Authorize(t.Context(), []*authorization.Request{c.request})
			require.NoError(t, err)
			assert.Equal(t, []bool{c.want}, got)
		})
	}
	t.Run("answers come in the order of the requests", func(t *testing.T) {
		a, err := load(t, annOnly)
		require.NoError(t, err)
		got, err := a.Authorize(t.Context(), []*authorization.Request{register("eve", "web"), register("ann", "web"), register("ann", "db")})
		require.NoError(t, err)
		assert.Equal(t, []bool{false, true, false}, got)
	})
}

func TestListsThatAreNone(t *testing.T) {
	for acls, says := range map[string]string{
		`[]`:               "acls",
		`{"run_task": []}`: "run_task: there is no such list",
		`{"run_tasks": [{"users": {"type": "ANY"}}]}`:                                    "run_tasks: entry 0: principals: is missing",
		`{"run_tasks": [{"principals": {"type": "ALL"}, "users": {"type": "ANY"}}]}`:     `type "ALL"`,
		`{"run_tasks": [{"principals": {"type": "ANY"}, "user": {"type": "ANY"}}]}`:      `"user" is unknown; an entry has principals and users`,
		`{"run_tasks": [{"principals": {"value": ["ann"]}, "users": {"type": "NONE"}}]}`: `entry 0: principals: json: unknown field "value"`,
		`{"run_tasks": [{"principals": {"type": "ANY"}, "users": {"values": "ann"}}]}`:   "users: json: cannot unmarshal string",
		`{"run_tasks": [null]}`: "principals: is missing",
		`{"permissive": "no"}`:  "permissive",
		`{"permissive": false`:  "unexpected end",
		`{} {}`:                 "after top-level value",
		``:                      "unexpected end",
	} {
		t.Run(acls, func(t *testing.T) {
			_, err := load(t, acls)
			assert.ErrorContains(t, err, says)
		})
	}
}

func Example() {
	instance, _ := local.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{
		{Key: "acls", Value: `{"register_frameworks": [{"principals": {"values": ["ann"]}, "roles": {"values": ["web"]}}], "permissive": false}`},
	})
	allowed, _ := instance.(authorizer.Authorizer).Authorize(context.Background(),
		[]*authorization.Request{register("ann", "web"), register("ann", "db")})
	fmt.Println(allowed)
	// Output: [true false]
}

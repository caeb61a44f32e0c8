package basic_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/httpauthenticator/basic"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
)

const credentials = `[{"principal": "ann", "secret": "a:b c"}, {"principal": "bob", "secret": ""}]`

func request(authorization string) *httpauth.Request {
	r := &httpauth.Request{Method: proto.String("GET"), Url: proto.String("/state")}
	if authorization != "" {
		r.Headers = []*httpauth.Header{{Name: proto.String("authorization"), Value: &authorization}}
	}
	return r
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, basic.Library, basic.Name,
		moduletest.Parameter(basic.Name, "authentication_realm", "r"), moduletest.Parameter(basic.Name, "credentials", credentials))
}

func TestAuthenticate(t *testing.T) {
	kit := moduletest.New(t, basic.Library, moduletest.Parameter(basic.Name, "authentication_realm", `mesos "master"`),
		moduletest.Parameter(basic.Name, "credentials", credentials))
	a := moduletest.Load[httpauthenticator.HttpAuthenticator](kit, basic.Name)
	for _, c := range []struct{ name, header, principal string }{
		{"a name with its secret is known", "Basic " + encoded("ann:a:b c"), "ann"},
		{"the scheme's case does not matter", "bAsIc " + encoded("ann:a:b c"), "ann"},
		{"an empty secret is one", "Basic " + encoded("bob:"), "bob"},
		{"nothing is not", "", ""},
		{"a wrong secret is not", "Basic " + encoded("ann:guess"), ""},
		{"an unknown name is not, with whatever secret", "Basic " + encoded("eve:"), ""},
		{"no colon is not", "Basic " + encoded("ann"), ""},
		{"what is no base64 is not", "Basic ann:a:b c", ""},
		{"another scheme is not", "Bearer " + encoded("ann:a:b c"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, err := a.Authenticate(t.Context(), request(c.header))
			require.NoError(t, err)
			assert.Equal(t, c.principal, result.GetPrincipal().GetValue())
			assert.Equal(t, c.principal == "", result.Unauthorized != nil, "one field is set")
			if c.principal == "" {
				assert.Equal(t, `Basic realm="mesos \"master\""`, result.GetUnauthorized())
			}
		})
	}
	assert.Empty(t, kit.Shown("a:b c"))
}

func TestCredentialsThatAreNone(t *testing.T) {
	for name, c := range map[string]struct{ credentials, want string }{
		"no JSON":                 {`{"s3cret"`, "no JSON array"},
		"no array":                {`{"principal": "ann", "secret": "s3cret"}`, "no JSON array"},
		"a secret without a name": {`[{"principal": "ann", "secret": "a"}, {"secret": "s3cret"}]`, "number 2 names no principal"},
	} {
		t.Run(name, func(t *testing.T) {
			kit := moduletest.New(t, basic.Library, moduletest.Parameter(basic.Name, "authentication_realm", "r"), moduletest.Parameter(basic.Name, "credentials", c.credentials))
			_, err := moduletest.TryLoad[httpauthenticator.HttpAuthenticator](kit, basic.Name)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "s3cret")
			assert.Empty(t, kit.Shown("s3cret"))
		})
	}
}

func Example() {
	instance, _ := basic.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{
		{Key: "authentication_realm", Value: "mesos-master-readonly"},
		{Key: "credentials", Value: `[{"principal": "ann", "secret": "s3cret"}]`},
	})
	a := instance.(httpauthenticator.HttpAuthenticator)
	result, _ := a.Authenticate(context.Background(), request("Basic "+encoded("ann:s3cret")))
	fmt.Println(result.GetPrincipal().GetValue())
	result, _ = a.Authenticate(context.Background(), request(""))
	fmt.Println(result.GetUnauthorized())
	// Output:
	// ann
	// Basic realm="mesos-master-readonly"
}

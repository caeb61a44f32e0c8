package httpauthenticatee_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/httpauthenticatee"
)

// token sends the secret as a bearer token.
type token struct {
	httpauthenticatee.Unimplemented
}

func (token) Scheme(context.Context) (string, error) { return "Bearer", nil }

func (token) Authenticate(_ context.Context, _ *httpauth.Request, c *mesosv1.Credential) ([]*httpauth.Header, error) {
	return []*httpauth.Header{{Name: proto.String("Authorization"), Value: proto.String("Bearer " + c.GetSecret())}}, nil
}

func (token) Reset(context.Context) error { return nil }

func Example() {
	var role httpauthenticatee.HttpAuthenticatee = token{}
	headers, err := role.Authenticate(context.Background(),
		&httpauth.Request{Method: proto.String("POST"), Url: proto.String("/api/v1")},
		&mesosv1.Credential{Principal: proto.String("ops"), Secret: proto.String("abc")})
	fmt.Println(headers[0].GetName(), headers[0].GetValue(), err)
	// Output: Authorization Bearer abc <nil>
}

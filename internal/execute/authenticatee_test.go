package execute

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// echo is a module that shows what it was asked.
type echo struct{ err error }

func (echo) Scheme(context.Context) (string, error) { return "Echo", nil }
func (echo) Reset(context.Context) error            { return nil }

func (m echo) Authenticate(_ context.Context, r *httpauth.Request, c *mesosv1.Credential) ([]*httpauth.Header, error) {
	text := r.GetMethod() + " " + r.GetUrl() + " " + r.GetHeaders()[0].GetName() + " " + c.GetPrincipal()
	return []*httpauth.Header{{Name: proto.String("authorization"), Value: &text}}, m.err
}

func TestAuthenticatee(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a:1/api/v1?x=1", nil)
	require.NoError(t, err)
	request.Header.Set("Accept", "json")
	require.NoError(t, authenticateBy(echo{}, &mesosv1.Credential{Principal: proto.String("ops")})(request))
	assert.Equal(t, "POST /api/v1?x=1 Accept ops", request.Header.Get("Authorization"))
	why := errors.New("no")
	require.ErrorIs(t, authenticateBy(echo{why}, nil)(request), why)
}

package jwt_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/secretgenerator/jwt"
	"github.com/mesos-modules/mms/roles/secretgenerator"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, jwt.Library, jwt.Name, moduletest.Parameter(jwt.Name, "key", "k3y"))
}

func principal() *httpauth.Principal {
	return &httpauth.Principal{Claims: &mesosv1.Labels{Labels: []*mesosv1.Label{
		{Key: proto.String("fid"), Value: proto.String("f")}, {Key: proto.String("eid"), Value: proto.String("e")},
	}}}
}

// The token was checked with another program: openssl dgst -sha256 -hmac.
const token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJlaWQiOiJlIiwiZmlkIjoiZiJ9.QgDh4azUpLDORwsBura8dGviPwkt1ywI2BPDqgDHybs"

func TestGenerate(t *testing.T) {
	t.Run("claims are signed", func(t *testing.T) {
		kit := moduletest.New(t, jwt.Library, moduletest.Parameter(jwt.Name, "key", "k3y"))
		g := moduletest.Load[secretgenerator.SecretGenerator](kit, jwt.Name)
		secret, err := g.Generate(t.Context(), principal())
		require.NoError(t, err)
		assert.Equal(t, mesosv1.Secret_VALUE, secret.GetType())
		assert.Equal(t, token, string(secret.GetValue().GetData()))
		assert.Empty(t, kit.Shown("k3y"))
	})
	t.Run("without a key there are no tokens", func(t *testing.T) {
		g := moduletest.Load[secretgenerator.SecretGenerator](moduletest.New(t, jwt.Library), jwt.Name)
		_, err := g.Generate(t.Context(), principal())
		assert.ErrorContains(t, err, "--jwt_secret_key")
	})
}

func Example() {
	instance, _ := jwt.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{{Key: "key", Value: "k3y"}})
	secret, _ := instance.(secretgenerator.SecretGenerator).Generate(context.Background(), principal())
	fmt.Println(string(secret.GetValue().GetData()) == token)
	// Output: true
}

package basic

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
)

func TestConformance(t *testing.T) { moduletest.Conformance(t, Library, Name) }

func TestBasic(t *testing.T) {
	module := New()
	authenticate := func(c *mesosv1.Credential) ([]*httpauth.Header, error) {
		return module.Authenticate(t.Context(), &httpauth.Request{Method: new("POST"), Url: new("/api/v1")}, c)
	}
	t.Run("a server reads what was sent", func(t *testing.T) {
		headers, err := authenticate(&mesosv1.Credential{Principal: new("ops"), Secret: new("a:b c")})
		require.NoError(t, err)
		require.Len(t, headers, 1)
		request := httptest.NewRequest("POST", "/api/v1", nil)
		request.Header.Set(headers[0].GetName(), headers[0].GetValue())
		name, secret, ok := request.BasicAuth()
		assert.True(t, ok)
		assert.Equal(t, "ops", name)
		assert.Equal(t, "a:b c", secret)
	})
	t.Run("a secret may be absent", func(t *testing.T) {
		headers, err := authenticate(&mesosv1.Credential{Principal: new("ops")})
		require.NoError(t, err)
		assert.Equal(t, "Basic b3BzOg==", headers[0].GetValue())
	})
	t.Run("without a credential nothing is added", func(t *testing.T) {
		headers, err := authenticate(nil)
		require.NoError(t, err)
		assert.Empty(t, headers)
	})
	t.Run("a colon in the principal is refused, and the secret is not told", func(t *testing.T) {
		_, err := authenticate(&mesosv1.Credential{Principal: new("o:ps"), Secret: new("hush")})
		require.ErrorContains(t, err, "colon")
		assert.NotContains(t, err.Error(), "hush")
	})
	scheme, err := module.Scheme(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "Basic", scheme)
	assert.NoError(t, module.Reset(t.Context()))
}

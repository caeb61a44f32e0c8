package moduletest

import (
	"context"
	"errors"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
)

func httpAuthenticatorChecks() []check {
	return []check{
		{"the scheme has a name, and it does not change", func(b *bench) {
			_, a := loaded[httpauthenticator.HttpAuthenticator](b)
			one, err := a.Scheme(b.Context())
			require.NoError(b, err)
			assert.NotEmpty(b, one)
			other, err := a.Scheme(b.Context())
			require.NoError(b, err)
			assert.Equal(b, one, other)
		}},
		{"a request without credentials is nobody's", func(b *bench) {
			_, a := loaded[httpauthenticator.HttpAuthenticator](b)
			result, err := a.Authenticate(b.Context(), httpRequest(""))
			require.NoError(b, err)
			assert.NoError(b, oneResult(result))
			assert.Nil(b, result.GetPrincipal())
		}},
		{"of a result exactly one field is set, whatever the header holds", func(b *bench) {
			k, a := loaded[httpauthenticator.HttpAuthenticator](b)
			scheme, err := a.Scheme(b.Context())
			require.NoError(b, err)
			for _, header := range []string{" ", scheme, scheme + " ", scheme + " \x00\xff", scheme + " Og==", "Other x", scheme + " a.b.c"} {
				result, err := a.Authenticate(b.Context(), httpRequest(header))
				if err == nil { // a failure is an answer, too
					assert.NoError(b, oneResult(result), "%q", header)
				}
			}
			assert.Empty(b, panics(k))
		}},
		{"any number of goroutines may call", func(b *bench) {
			k, a := loaded[httpauthenticator.HttpAuthenticator](b)
			k.Hammer(8, 10, func(ctx context.Context, _, _ int) error {
				result, err := a.Authenticate(ctx, httpRequest("Other x"))
				if err != nil {
					return err
				}
				return oneResult(result)
			})
		}},
		{"what stands in a request is told to nobody", func(b *bench) {
			k, a := loaded[httpauthenticator.HttpAuthenticator](b)
			const secret = "moduletest-s3cret"
			_, err := a.Authenticate(b.Context(), httpRequest("Bearer "+secret))
			if err != nil {
				assert.NotContains(b, err.Error(), secret)
			}
			assert.Empty(b, k.Shown(secret))
		}},
	}
}

func httpRequest(authorization string) *httpauth.Request {
	r := &httpauth.Request{Method: proto.String("GET"), Url: proto.String("/state?jsonp=x"), Peer: proto.String("127.0.0.1:1")}
	if authorization != "" {
		r.Headers = []*httpauth.Header{{Name: proto.String("Authorization"), Value: &authorization}}
	}
	return r
}

func oneResult(r *httpauth.Result) error {
	fields := 0
	for _, set := range []bool{r.GetPrincipal() != nil, r != nil && r.Unauthorized != nil, r != nil && r.Forbidden != nil} {
		if set {
			fields++
		}
	}
	if fields != 1 {
		return errors.New("a result has other than one field")
	}
	return nil
}

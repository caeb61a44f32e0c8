package moduletest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles/httpauthenticatee"
)

func httpAuthenticateeChecks() []check {
	return []check{
		{"the scheme has a name, and it does not change", func(b *bench) {
			_, a := loaded[httpauthenticatee.HttpAuthenticatee](b)
			one, err := a.Scheme(b.Context())
			require.NoError(b, err)
			assert.NotEmpty(b, one)
			other, err := a.Scheme(b.Context())
			require.NoError(b, err)
			assert.Equal(b, one, other)
		}},
		{"headers have names, and a client without a credential is an error or has none", func(b *bench) {
			k, a := loaded[httpauthenticatee.HttpAuthenticatee](b)
			headers, err := a.Authenticate(b.Context(), httpRequest(""), b.o.credentialOr())
			require.NoError(b, err)
			for _, h := range headers {
				assert.NotEmpty(b, h.GetName())
			}
			_, _ = a.Authenticate(b.Context(), httpRequest(""), nil)
			assert.Empty(b, panics(k))
		}},
		{"after Reset it begins anew", func(b *bench) {
			_, a := loaded[httpauthenticatee.HttpAuthenticatee](b)
			for range 2 {
				_, err := a.Authenticate(b.Context(), httpRequest(""), b.o.credentialOr())
				require.NoError(b, err)
				require.NoError(b, a.Reset(b.Context()))
			}
		}},
		{"any number of goroutines may call", func(b *bench) {
			k, a := loaded[httpauthenticatee.HttpAuthenticatee](b)
			k.Hammer(8, 10, func(ctx context.Context, _, _ int) error {
				_, err := a.Authenticate(ctx, httpRequest(""), b.o.credentialOr())
				return err
			})
		}},
		{"a secret is told to nobody", func(b *bench) {
			k, a := loaded[httpauthenticatee.HttpAuthenticatee](b)
			c := b.o.credentialOr()
			_, err := a.Authenticate(b.Context(), httpRequest(""), c)
			require.NoError(b, err)
			assert.Empty(b, k.Shown(c.GetSecret()))
		}},
	}
}

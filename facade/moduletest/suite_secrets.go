package moduletest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/secretgenerator"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

func secretGeneratorChecks() []check {
	return []check{
		{"a secret has a value, or there is an error", func(b *bench) {
			_, g := loaded[secretgenerator.SecretGenerator](b)
			for _, p := range []*httpauth.Principal{bearer("one"), {Value: proto.String("named")}} {
				secret, err := g.Generate(b.Context(), p)
				if err == nil {
					assert.Equal(b, mesosv1.Secret_VALUE, secret.GetType())
					assert.NotEmpty(b, secret.GetValue().GetData())
				}
			}
		}},
		{"different bearers get different secrets", func(b *bench) {
			_, g := loaded[secretgenerator.SecretGenerator](b)
			one, err := g.Generate(b.Context(), bearer("one"))
			other, err2 := g.Generate(b.Context(), bearer("other"))
			if err == nil && err2 == nil {
				assert.NotEqual(b, one.GetValue().GetData(), other.GetValue().GetData())
			}
		}},
		{"any number of goroutines may call", func(b *bench) {
			k, g := loaded[secretgenerator.SecretGenerator](b)
			k.Hammer(8, 10, func(ctx context.Context, _, _ int) error {
				_, _ = g.Generate(ctx, bearer("one")) // an error is an answer
				return nil
			})
			assert.Empty(b, panics(k))
		}},
		{"what is generated is told to nobody", func(b *bench) {
			k, g := loaded[secretgenerator.SecretGenerator](b)
			secret, err := g.Generate(b.Context(), bearer("one"))
			if err == nil {
				assert.Empty(b, k.Shown(string(secret.GetValue().GetData())))
			}
		}},
	}
}

func bearer(executor string) *httpauth.Principal {
	return &httpauth.Principal{Claims: &mesosv1.Labels{Labels: []*mesosv1.Label{
		{Key: proto.String("fid"), Value: proto.String("framework")}, {Key: proto.String("eid"), Value: proto.String(executor)},
	}}}
}

// hiddenValue is a secret that suites look for where it must not be.
const hiddenValue = "moduletest-s3cret"

func secretResolverChecks() []check {
	return []check{
		{"a secret resolves to a value, or there is an error", func(b *bench) {
			k, r := loaded[secretresolver.SecretResolver](b)
			for _, secret := range secrets() {
				value, err := r.Resolve(b.Context(), secret)
				assert.Equal(b, err != nil, value == nil, "%v", err)
			}
			assert.Empty(b, panics(k))
		}},
		{"a value is told to nobody", func(b *bench) {
			k, r := loaded[secretresolver.SecretResolver](b)
			for _, secret := range secrets() {
				if _, err := r.Resolve(b.Context(), secret); err != nil {
					assert.NotContains(b, err.Error(), hiddenValue)
				}
			}
			assert.Empty(b, k.Shown(hiddenValue))
		}},
		{"any number of goroutines may call", func(b *bench) {
			k, r := loaded[secretresolver.SecretResolver](b)
			k.Hammer(8, 10, func(ctx context.Context, _, call int) error {
				_, _ = r.Resolve(ctx, secrets()[call%len(secrets())])
				return nil
			})
			assert.Empty(b, panics(k))
		}},
		{"a call whose ctx has ended returns", func(b *bench) {
			_, r := loaded[secretresolver.SecretResolver](b)
			b.returns("Resolve", func() { _, _ = r.Resolve(ended(), secrets()[0]) })
		}},
	}
}

// secrets are of every type, complete and not.
func secrets() []*mesosv1.Secret {
	value := &mesosv1.Secret_Value{Data: []byte(hiddenValue)}
	reference := &mesosv1.Secret_Reference{Name: proto.String("moduletest-nowhere")}
	return []*mesosv1.Secret{
		{Type: mesosv1.Secret_VALUE.Enum(), Value: value},
		{Type: mesosv1.Secret_VALUE.Enum()},
		{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: reference},
		{Type: mesosv1.Secret_REFERENCE.Enum()},
		{Type: mesosv1.Secret_VALUE.Enum(), Value: value, Reference: reference},
		{},
	}
}

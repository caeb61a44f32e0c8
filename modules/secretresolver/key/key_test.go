package key_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/secretresolver/key"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// host hands in a resolver, if there is one.
type host struct {
	facade.Host
	resolver secretresolver.SecretResolver
}

func (h host) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (h host) Requirements(reflect.Type) []any {
	if h.resolver == nil {
		return nil
	}
	return []any{h.resolver}
}

// vault knows references by name and key.
type vault map[string]string

func (v vault) Resolve(_ context.Context, s *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	if s.GetType() == mesosv1.Secret_VALUE {
		return s.GetValue(), nil
	}
	data, ok := v[s.GetReference().GetName()+"/"+s.GetReference().GetKey()]
	if !ok {
		return nil, errors.New("the vault is sealed")
	}
	return &mesosv1.Secret_Value{Data: []byte(data)}, nil
}

func TestSource(t *testing.T) {
	with := host{resolver: vault{"jwt/": "k3y", "jwt/a": "k3y-a", "empty/": ""}}
	for _, c := range []struct {
		what, value, name, within string
		host                      facade.Host
		want, from, read          string
		fixed, none               bool
	}{
		{what: "a value is the key", value: "v", host: with, want: "v", fixed: true},
		{what: "a value needs no resolver", value: "v", host: host{}, want: "v", fixed: true},
		{what: "nor a host", value: "v", want: "v", fixed: true},
		{what: "a name is looked up", name: "jwt", host: with, want: "k3y"},
		{what: "with a key", name: "jwt", within: "a", host: with, want: "k3y-a"},
		{what: "nothing is no key", host: with, none: true, read: "the key is empty"},
		{what: "two are too many", value: "v", name: "jwt", host: with, from: "both given"},
		{what: "a key of no secret", within: "a", host: with, from: "without key_secret"},
		{what: "a name without a resolver", name: "jwt", host: host{}, from: "no module of the role SecretResolver"},
		{what: "a name that the resolver does not know", name: "gone", host: with, read: "resolve the key: the vault is sealed"},
		{what: "a secret that is empty", name: "empty", host: with, read: "the key is empty"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s, err := key.From(c.host, facade.Secret(c.value), c.name, c.within)
			if c.from != "" {
				require.ErrorContains(t, err, c.from)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.none, s.None())
			if !c.none {
				assert.Equal(t, c.fixed, s.Fixed())
			}
			got, err := s.Read(t.Context())
			if c.read != "" {
				require.ErrorContains(t, err, c.read)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

func Example() {
	source, _ := key.From(host{resolver: vault{"jwt/": "tanstaaf"}}, "", "jwt", "")
	text, _ := source.Read(context.Background())
	fmt.Println(string(text), source.Fixed())
	// Output: tanstaaf false
}

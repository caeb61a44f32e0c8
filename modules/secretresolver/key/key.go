// Package key finds the keys of modules that sign and verify: given as a value, or as a
// reference that the daemon's secret resolver knows.
package key

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Source says where a key is. It does not change.
type Source struct {
	secret   *mesosv1.Secret // nil: there is no key
	resolver secretresolver.SecretResolver
}

// From reads the parameters key, key_secret and key_secret_key. A host whose module
// requires the role SecretResolver hands the resolver in.
func From(host facade.Host, value facade.Secret, name, within string) (Source, error) {
	s := Source{}
	if host != nil {
		if all := facade.RequiredRole[secretresolver.SecretResolver](host); len(all) > 0 {
			s.resolver = all[0]
		}
	}
	switch {
	case value != "" && name != "":
		return s, errors.New("parameters key and key_secret are both given; one of them says what the key is")
	case within != "" && name == "":
		return s, errors.New("parameter key_secret_key is given without key_secret")
	case value != "":
		s.secret = &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte(value)}}
	case name != "":
		s.secret = &mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: &mesosv1.Secret_Reference{Name: &name}}
		if within != "" {
			s.secret.Reference.Key = &within
		}
		if s.resolver == nil {
			return s, errors.New("parameter key_secret names a secret, and no module of the role SecretResolver is loaded")
		}
	}
	return s, nil
}

// None says that no parameter names a key.
func (s Source) None() bool { return s.secret == nil }

// Fixed says that the key cannot change.
func (s Source) Fixed() bool { return s.secret.GetType() == mesosv1.Secret_VALUE }

// Read asks the resolver for the key, a value too: the resolver may know more of it than
// stands there. A key that is empty is an error.
func (s Source) Read(ctx context.Context) ([]byte, error) {
	data := s.secret.GetValue().GetData()
	if s.resolver != nil && s.secret != nil {
		value, err := s.resolver.Resolve(ctx, s.secret)
		if err != nil {
			return nil, fmt.Errorf("resolve the key: %w", err)
		}
		data = value.GetData()
	}
	if len(data) == 0 {
		return nil, errors.New("the key is empty")
	}
	return data, nil
}

// Package value is the secret resolver that Mesos has by default: it knows the
// secrets that come with their value, and no others.
package value

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_DefaultSecretResolver"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[secretresolver.SecretResolver]{
		Name: Name, Version: facade.MesosVersion,
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Resolves secrets that come with their value.",
		New: func(context.Context, facade.Host, facade.Parameters) (secretresolver.SecretResolver, error) {
			return resolver{}, nil
		},
	},
}}

type resolver struct{ secretresolver.Unimplemented }

func (resolver) Resolve(_ context.Context, secret *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	switch {
	case secret.GetReference() != nil && secret.GetValue() != nil:
		return nil, fmt.Errorf("the secret %q has both a reference and a value", secret.GetReference().GetName())
	case secret.GetType() == mesosv1.Secret_REFERENCE:
		return nil, fmt.Errorf("the secret %q is a reference, and this agent knows values only; --secret_resolver binds a module that knows more",
			secret.GetReference().GetName())
	case secret.GetType() != mesosv1.Secret_VALUE:
		return nil, fmt.Errorf("the secret is of type %v, which is neither VALUE nor REFERENCE", secret.GetType())
	case secret.GetValue() == nil:
		return nil, fmt.Errorf("the secret is of type VALUE and has none")
	default:
		return secret.GetValue(), nil
	}
}

// Package value is the secret resolver that Mesos has by default: it knows the
// secrets that come with their value, and no others.
package value

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/secretresolver/secret"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_DefaultSecretResolver"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[secretresolver.SecretResolver]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Resolves secrets that come with their value.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (secretresolver.SecretResolver, error) {
			return resolver{}, nil
		},
	},
}}

type resolver struct{ secretresolver.Unimplemented }

func (resolver) Resolve(_ context.Context, s *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	value, reference, err := secret.Split(s)
	if reference != nil {
		return nil, fmt.Errorf("the secret %q is a reference, and this daemon knows values only; --secret_resolver binds a module that knows more",
			reference.GetName())
	}
	return value, err
}

// Package environment is a secret resolver that finds secrets in the daemon's own
// environment: a reference names a variable, behind a prefix.
package environment

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/secretresolver/secret"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_EnvironmentSecretResolver"

// parameters. Without a prefix a framework could read every variable of the daemon.
type parameters struct {
	Prefix string `mms:"prefix,required" doc:"what stands before the names of secrets in the names of variables"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[secretresolver.SecretResolver]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Resolves references to secrets that are in the daemon's environment.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (secretresolver.SecretResolver, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			if !plain(c.Prefix) {
				return nil, fmt.Errorf("parameter prefix: %q is nothing that names of variables begin with; they have letters, digits and _", c.Prefix)
			}
			return resolver{prefix: c.Prefix}, nil
		},
	},
}}

type resolver struct {
	secretresolver.Unimplemented
	prefix string
}

func (r resolver) Resolve(ctx context.Context, s *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	value, reference, err := secret.Split(s)
	if value != nil || err != nil {
		return value, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := r.find(reference)
	if err != nil {
		return nil, fmt.Errorf("the secret %q: %w", reference.GetName(), err)
	}
	return &mesosv1.Secret_Value{Data: []byte(data)}, nil
}

func (r resolver) find(reference *mesosv1.Secret_Reference) (string, error) {
	if reference.Key != nil {
		return "", errors.New("it has a key, and a variable holds one secret")
	}
	if !plain(reference.GetName()) {
		return "", errors.New("no variable has such a name; they have letters, digits and _")
	}
	name := r.prefix + reference.GetName()
	value := os.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("the variable %s of the daemon is not set, or is empty", name)
	}
	return value, nil
}

// plain says whether a text can be part of the name of a variable.
func plain(text string) bool {
	for _, r := range text {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return text != ""
}

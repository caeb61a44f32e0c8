// Package environmentsecret is the isolator environment_secret: it puts the values of
// secrets into the environment of containers, where the command asks for them.
package environmentsecret

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_EnvironmentSecretIsolator"
	Word = "environment_secret"
)

// Library holds the module. It asks the first secret resolver that is loaded.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Resolves the secrets in the environment of commands.",
		Parameters:  facade.SchemaOf[struct{}](),
		Requires:    []facade.Requirement{{Role: "SecretResolver", Optional: true}},
		New: func(_ context.Context, host facade.Host, _ facade.Parameters) (isolator.Isolator, error) {
			i := &resolving{}
			if all := facade.RequiredRole[secretresolver.SecretResolver](host); len(all) > 0 {
				i.resolver = all[0]
			}
			return i, nil
		},
	},
}}

// resolving keeps nothing of any container.
type resolving struct {
	isolator.Unimplemented
	resolver secretresolver.SecretResolver // nil if there is none
}

var _ isolator.Isolator = (*resolving)(nil)

// SupportsNesting is true: nested containers have commands of their own.
func (*resolving) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true as well.
func (*resolving) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Prepare resolves. Errors name the variable, and never its value.
func (i *resolving) Prepare(ctx context.Context, _ *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	var all []*mesosv1.Environment_Variable
	for _, v := range config.GetCommandInfo().GetEnvironment().GetVariables() {
		if v.GetType() != mesosv1.Environment_Variable_SECRET {
			continue
		}
		if i.resolver == nil {
			return nil, fmt.Errorf("the variable %s is a secret, and no secret resolver is loaded", v.GetName())
		}
		value, err := i.resolver.Resolve(ctx, v.GetSecret())
		if err != nil {
			return nil, fmt.Errorf("resolve the secret of the variable %s: %w", v.GetName(), err)
		}
		all = append(all, &mesosv1.Environment_Variable{Name: proto.String(v.GetName()), Value: proto.String(string(value.GetData()))})
	}
	if len(all) == 0 {
		return nil, nil
	}
	return &slave.ContainerLaunchInfo{Environment: &mesosv1.Environment{Variables: all}}, nil
}

// Cleanup has nothing to undo.
func (*resolving) Cleanup(context.Context, *mesosv1.ContainerID) error { return nil }

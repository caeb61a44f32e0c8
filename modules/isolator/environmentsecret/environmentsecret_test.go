package environmentsecret_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/environmentsecret"
	"github.com/mesos-modules/mms/modules/secretresolver/value"
	"github.com/mesos-modules/mms/roles/isolator"
)

func Example() {
	module := environmentsecret.Library.Modules[0].Declare()
	fmt.Println(module.Name, environmentsecret.Word, module.Requires[0].Role)
	// Output: org_apache_mesos_EnvironmentSecretIsolator environment_secret SecretResolver
}

func TestConformance(t *testing.T) {
	t.Run("alone", func(t *testing.T) { moduletest.Conformance(t, environmentsecret.Library, environmentsecret.Name) })
	t.Run("with a resolver", func(t *testing.T) {
		moduletest.Conformance(t, environmentsecret.Library, environmentsecret.Name, moduletest.With(value.Library))
	})
}

func wants(variables ...*mesosv1.Environment_Variable) *slave.ContainerConfig {
	return &slave.ContainerConfig{Directory: proto.String("/sandbox"),
		CommandInfo: &mesosv1.CommandInfo{Environment: &mesosv1.Environment{Variables: variables}}}
}

func secret(name, data string) *mesosv1.Environment_Variable {
	return &mesosv1.Environment_Variable{Name: proto.String(name), Type: mesosv1.Environment_Variable_SECRET.Enum(),
		Secret: &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte(data)}}}
}

func TestPrepare(t *testing.T) {
	id := &mesosv1.ContainerID{Value: proto.String("c")}
	plain := &mesosv1.Environment_Variable{Name: proto.String("PLAIN"), Value: proto.String("p")}
	with := moduletest.Load[isolator.Isolator](moduletest.New(t, environmentsecret.Library, moduletest.With(value.Library)), environmentsecret.Name)
	without := moduletest.Load[isolator.Isolator](moduletest.New(t, environmentsecret.Library), environmentsecret.Name)

	t.Run("secrets become variables, in their order", func(t *testing.T) {
		info, err := with.Prepare(t.Context(), id, wants(secret("B", "2"), plain, secret("A", "1")))
		require.NoError(t, err)
		var all []string
		for _, v := range info.GetEnvironment().GetVariables() {
			all = append(all, v.GetName()+"="+v.GetValue()+" "+v.GetType().String())
		}
		assert.Equal(t, []string{"B=2 VALUE", "A=1 VALUE"}, all)
	})
	t.Run("without secrets nothing is wanted, nor a resolver", func(t *testing.T) {
		info, err := without.Prepare(t.Context(), id, wants(plain))
		require.NoError(t, err)
		assert.Nil(t, info)
	})
	t.Run("without a resolver a secret is an error that does not show it", func(t *testing.T) {
		_, err := without.Prepare(t.Context(), id, wants(secret("PASSWORD", "hunter2")))
		require.ErrorContains(t, err, "PASSWORD")
		assert.NotContains(t, err.Error(), "hunter2")
	})
	t.Run("what the resolver refuses names the variable", func(t *testing.T) {
		v := secret("PASSWORD", "")
		v.Secret = &mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: &mesosv1.Secret_Reference{Name: proto.String("vault")}}
		_, err := with.Prepare(t.Context(), id, wants(v))
		assert.ErrorContains(t, err, "the variable PASSWORD")
	})
}

package environment_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/secretresolver/environment"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

func prefix(p string) moduletest.Option { return moduletest.Parameter(environment.Name, "prefix", p) }

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, environment.Library, environment.Name, prefix("MMS_TEST_SECRET_"))
}

func TestResolve(t *testing.T) {
	t.Setenv("MMS_TEST_SECRET_db", "s3cret")
	t.Setenv("MMS_TEST_SECRET_2", "two")
	t.Setenv("MMS_TEST_SECRET_empty", "")
	t.Setenv("MMS_TEST_OTHER", "s3cret")
	kit := moduletest.New(t, environment.Library, prefix("MMS_TEST_SECRET_"))
	r := moduletest.Load[secretresolver.SecretResolver](kit, environment.Name)
	for _, c := range []struct {
		name      string
		reference *mesosv1.Secret_Reference
		want, err string
	}{
		{"a name is a variable behind the prefix", &mesosv1.Secret_Reference{Name: proto.String("db")}, "s3cret", ""},
		{"it may begin with a digit", &mesosv1.Secret_Reference{Name: proto.String("2")}, "two", ""},
		{"one that is not set", &mesosv1.Secret_Reference{Name: proto.String("DB")}, "", "MMS_TEST_SECRET_DB of the daemon is not set"},
		{"one that is empty", &mesosv1.Secret_Reference{Name: proto.String("empty")}, "", "or is empty"},
		{"another variable is out of reach", &mesosv1.Secret_Reference{Name: proto.String("MMS_TEST_OTHER")}, "", "is not set"},
		{"a name that no variable has", &mesosv1.Secret_Reference{Name: proto.String("db=")}, "", "no variable has such a name"},
		{"a key", &mesosv1.Secret_Reference{Name: proto.String("db"), Key: proto.String("k")}, "", "a variable holds one secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Resolve(t.Context(), &mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: c.reference})
			if c.err == "" {
				require.NoError(t, err)
				assert.Equal(t, c.want, string(got.GetData()))
				return
			}
			require.ErrorContains(t, err, c.err)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
	t.Run("a secret that comes with its value is that", func(t *testing.T) {
		got, err := r.Resolve(t.Context(), &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte("v")}})
		require.NoError(t, err)
		assert.Equal(t, "v", string(got.GetData()))
	})
	assert.Empty(t, kit.Shown("s3cret"))
}

func TestWrongParameters(t *testing.T) {
	for name, options := range map[string][]moduletest.Option{
		"no prefix": nil, "an empty one": {prefix("")}, "one that no variable has": {prefix("A-")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := moduletest.TryLoad[secretresolver.SecretResolver](moduletest.New(t, environment.Library, options...), environment.Name)
			assert.ErrorContains(t, err, "prefix")
		})
	}
}

func Example() {
	_ = os.Setenv("MMS_EXAMPLE_SECRET_db", "tanstaaf")
	defer os.Unsetenv("MMS_EXAMPLE_SECRET_db")

	instance, _ := environment.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{{Key: "prefix", Value: "MMS_EXAMPLE_SECRET_"}})
	value, _ := instance.(secretresolver.SecretResolver).Resolve(context.Background(), &mesosv1.Secret{
		Type: mesosv1.Secret_REFERENCE.Enum(), Reference: &mesosv1.Secret_Reference{Name: proto.String("db")},
	})
	fmt.Println(string(value.GetData()))
	// Output: tanstaaf
}

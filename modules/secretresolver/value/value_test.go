package value_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/secretresolver/value"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, value.Library, value.Name)
}

func TestResolve(t *testing.T) {
	r := moduletest.Load[secretresolver.SecretResolver](moduletest.New(t, value.Library), value.Name)
	plain := &mesosv1.Secret_Value{Data: []byte("s3cret")}
	reference := &mesosv1.Secret_Reference{Name: proto.String("db")}
	t.Run("a value is its own", func(t *testing.T) {
		got, err := r.Resolve(t.Context(), &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: plain})
		require.NoError(t, err)
		assert.Equal(t, "s3cret", string(got.GetData()))
	})
	for name, c := range map[string]struct {
		secret *mesosv1.Secret
		says   string
	}{
		"a reference is unknown":        {&mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: reference}, `"db" is a reference`},
		"both is a mistake":             {&mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Reference: reference, Value: plain}, "both"},
		"a value has to be there":       {&mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum()}, "has none"},
		"a secret of no type is no one": {&mesosv1.Secret{Value: plain}, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.Resolve(t.Context(), c.secret)
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}

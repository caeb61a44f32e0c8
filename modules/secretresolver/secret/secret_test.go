package secret_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/secretresolver/secret"
)

func TestSplit(t *testing.T) {
	value, reference := &mesosv1.Secret_Value{Data: []byte("s3cret")}, &mesosv1.Secret_Reference{Name: proto.String("db")}
	for _, c := range []struct {
		name   string
		secret *mesosv1.Secret
		value  *mesosv1.Secret_Value
		ref    *mesosv1.Secret_Reference
		err    string
	}{
		{"a value", &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: value}, value, nil, ""},
		{"a reference", &mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: reference}, nil, reference, ""},
		{"both", &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: value, Reference: reference}, nil, nil, `the secret "db" has both a reference and a value`},
		{"a value that is not there", &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum()}, nil, nil, "of type VALUE and has none"},
		{"a reference that is not there", &mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum()}, nil, nil, "of type REFERENCE and names none"},
		{"nothing", &mesosv1.Secret{}, nil, nil, "neither VALUE nor REFERENCE"},
		{"no secret", nil, nil, nil, "neither VALUE nor REFERENCE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, r, err := secret.Split(c.secret)
			assert.Same(t, c.value, v)
			assert.Same(t, c.ref, r)
			if c.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.err)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func Example() {
	_, reference, _ := secret.Split(&mesosv1.Secret{
		Type: mesosv1.Secret_REFERENCE.Enum(), Reference: &mesosv1.Secret_Reference{Name: proto.String("db/password")},
	})
	fmt.Println(reference.GetName())
	// Output: db/password
}

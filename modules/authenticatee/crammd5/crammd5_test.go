package crammd5_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	serverside "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/roles/authenticatee"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, crammd5.Library, crammd5.Name)
	t.Run("with the authenticator that ships", func(t *testing.T) {
		moduletest.Conformance(t, crammd5.Library, crammd5.Name, moduletest.Peer(serverside.Library, serverside.Name))
	})
}

func TestTheExampleOfRFC2195(t *testing.T) {
	a := moduletest.Load[authenticatee.Authenticatee](moduletest.New(t, crammd5.Library), crammd5.Name)
	start, err := a.Start(t.Context(), "", "", &mesosv1.Credential{Principal: proto.String("tim"), Secret: proto.String("tanstaaftanstaaf")},
		[]string{"SCRAM", "CRAM-MD5"})
	require.NoError(t, err)
	assert.Equal(t, "CRAM-MD5", start.GetMechanism())
	answer, err := a.Step(t.Context(), []byte("<1896.697170952@postoffice.reston.mci.net>"))
	require.NoError(t, err)
	assert.Equal(t, "tim b913a602c7eda7a495b4e6e7334d3890", string(answer))

	_, err = a.Step(t.Context(), []byte("<another@example.org>"))
	assert.ErrorContains(t, err, "has been answered")
}

func TestAMasterThatKeepsToNothing(t *testing.T) {
	credential := &mesosv1.Credential{Principal: proto.String("tim"), Secret: proto.String("tanstaaftanstaaf")}
	fresh := func(t *testing.T) (*moduletest.Kit, authenticatee.Authenticatee) {
		kit := moduletest.New(t, crammd5.Library)
		return kit, moduletest.Load[authenticatee.Authenticatee](kit, crammd5.Name)
	}
	t.Run("a challenge before the beginning is an error", func(t *testing.T) {
		_, a := fresh(t)
		_, err := a.Step(t.Context(), []byte("<1@example.org>"))
		assert.ErrorContains(t, err, "one challenge")
	})
	t.Run("whatever the challenge is, the secret stays", func(t *testing.T) {
		for _, challenge := range [][]byte{nil, {0, 0xff}, bytes.Repeat([]byte{'x'}, 1<<20)} {
			kit, a := fresh(t)
			_, err := a.Start(t.Context(), "", "", credential, []string{"CRAM-MD5"})
			require.NoError(t, err)
			answer, err := a.Step(t.Context(), challenge)
			require.NoError(t, err)
			assert.Regexp(t, "^tim [0-9a-f]{32}$", string(answer))
			assert.NotContains(t, string(answer), "tanstaaf")
			assert.Empty(t, kit.Shown("tanstaaf"))
		}
	})
}

func TestAMasterThatOffersNothingKnown(t *testing.T) {
	a := moduletest.Load[authenticatee.Authenticatee](moduletest.New(t, crammd5.Library), crammd5.Name)
	start, err := a.Start(t.Context(), "", "", &mesosv1.Credential{Principal: proto.String("tim")}, []string{"SCRAM"})
	require.NoError(t, err)
	assert.Nil(t, start)
}

func Example() {
	ctx := context.Background()
	instance, _ := crammd5.Library.Modules[0].Declare().New(ctx, nil, nil)
	a := instance.(authenticatee.Authenticatee)
	credential := &mesosv1.Credential{Principal: proto.String("tim"), Secret: proto.String("tanstaaftanstaaf")}
	_, _ = a.Start(ctx, "master@10.0.0.2:5050", "slave(1)@10.0.0.1:5051", credential, []string{"CRAM-MD5"})
	answer, _ := a.Step(ctx, []byte("<1896.697170952@postoffice.reston.mci.net>"))
	fmt.Println(string(answer))
	// Output: tim b913a602c7eda7a495b4e6e7334d3890
}

// Package crammd5 is the authenticatee that Mesos has by default: CRAM-MD5 (RFC
// 2195), with the agent's credential.
package crammd5

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticatee"
)

// Name is what manifests and flags call the module; crammd5 is its short name.
const Name = "org_apache_mesos_CRAMMD5Authenticatee"

const mechanism = "CRAM-MD5"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[authenticatee.Authenticatee]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Authenticates the agent by CRAM-MD5.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (authenticatee.Authenticatee, error) {
			return &attempt{}, nil
		},
	},
}}

// attempt is one handshake.
type attempt struct {
	authenticatee.Unimplemented

	credential *mesosv1.Credential // nil until it has started, and when it is over
}

func (a *attempt) Start(_ context.Context, _, _ string, credential *mesosv1.Credential, mechanisms []string) (*handshake.Start, error) {
	if !slices.Contains(mechanisms, mechanism) {
		return nil, nil
	}
	a.credential = credential
	return &handshake.Start{Mechanism: proto.String(mechanism), Data: []byte{}}, nil
}

// Step answers the challenge with the principal and proof that the secret is known.
func (a *attempt) Step(_ context.Context, challenge []byte) ([]byte, error) {
	if a.credential == nil {
		return nil, fmt.Errorf("%s has one challenge, and it has been answered", mechanism)
	}
	mac := hmac.New(md5.New, []byte(a.credential.GetSecret()))
	mac.Write(challenge)
	principal := a.credential.GetPrincipal()
	a.credential = nil
	return []byte(principal + " " + hex.EncodeToString(mac.Sum(nil))), nil
}

// Package basic is the HTTP authenticator that Mesos has by default: the Basic
// scheme (RFC 7617), with credentials of the operator.
package basic

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
)

// Name is what manifests and flags call the module; basic is its short name.
const Name = "org_apache_mesos_BasicHttpAuthenticator"

const scheme = "Basic"

// parameters are those of Mesos' own module. The daemon sets both for each realm, unless
// the manifest does.
type parameters struct {
	Realm       string        `mms:"authentication_realm,required" doc:"what clients are told they need a name for"`
	Credentials facade.Secret `mms:"credentials" default:"[]" doc:"JSON array of principal and secret"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[httpauthenticator.HttpAuthenticator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Authenticates HTTP requests by name and secret.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (httpauthenticator.HttpAuthenticator, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newRealm(c)
		},
	},
}}

// realm keeps digests, so that a secret's length does not show in the time that a
// comparison takes. It does not change.
type realm struct {
	httpauthenticator.Unimplemented

	challenge string
	secrets   map[string][sha256.Size]byte
}

func newRealm(p parameters) (*realm, error) {
	var credentials []struct{ Principal, Secret string }
	if err := json.Unmarshal([]byte(p.Credentials), &credentials); err != nil {
		return nil, fmt.Errorf("parameter credentials is no JSON array of principal and secret") // the cause may show secrets
	}
	r := &realm{challenge: fmt.Sprintf("%s realm=%q", scheme, p.Realm), secrets: map[string][sha256.Size]byte{}}
	for i, c := range credentials {
		if c.Principal == "" {
			return nil, fmt.Errorf("parameter credentials: number %d names no principal", i+1)
		}
		r.secrets[c.Principal] = sha256.Sum256([]byte(c.Secret))
	}
	return r, nil
}

func (r *realm) Scheme(context.Context) (string, error) { return scheme, nil }

func (r *realm) Authenticate(_ context.Context, request *httpauth.Request) (*httpauth.Result, error) {
	if principal, secret, ok := credentials(request); ok {
		given := sha256.Sum256([]byte(secret))
		want, known := r.secrets[principal]
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 && known {
			return &httpauth.Result{Principal: &httpauth.Principal{Value: proto.String(principal)}}, nil
		}
	}
	return &httpauth.Result{Unauthorized: proto.String(r.challenge)}, nil
}

// credentials are those of the header Authorization.
func credentials(request *httpauth.Request) (principal, secret string, ok bool) {
	for _, h := range request.GetHeaders() {
		if !strings.EqualFold(h.GetName(), "Authorization") {
			continue
		}
		given, text, _ := strings.Cut(h.GetValue(), " ")
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if !strings.EqualFold(given, scheme) || err != nil {
			continue
		}
		return strings.Cut(string(plain), ":")
	}
	return "", "", false
}

// Package jwt makes the tokens with which executors authenticate: JSON Web Tokens
// (RFC 7519), signed with the agent's key by HMAC-SHA256.
package jwt

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/secretresolver/key"
	"github.com/mesos-modules/mms/roles/secretgenerator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_JWTSecretGenerator"

// parameters. The agent sets the key from the file that --jwt_secret_key names.
type parameters struct {
	Key          facade.Secret `mms:"key" doc:"what tokens are signed with; without a key none are made"`
	KeySecret    string        `mms:"key_secret" doc:"name of the secret that is the key, for the secret resolver"`
	KeySecretKey string        `mms:"key_secret_key" doc:"the key within that secret, if the resolver wants one"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[secretgenerator.SecretGenerator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Makes JSON Web Tokens for executors.",
		Requires:    []facade.Requirement{{Role: "SecretResolver", Optional: true}},
		Parameters:  facade.SchemaOf[parameters](),
		New: func(ctx context.Context, host facade.Host, p facade.Parameters) (secretgenerator.SecretGenerator, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newGenerator(ctx, host, c)
		},
	},
}}

type generator struct {
	secretgenerator.Unimplemented

	source key.Source
}

// newGenerator reads the key once, so that one that cannot be had is known at once.
func newGenerator(ctx context.Context, host facade.Host, p parameters) (*generator, error) {
	source, err := key.From(host, p.Key, p.KeySecret, p.KeySecretKey)
	if err == nil && !source.None() {
		_, err = source.Read(ctx)
	}
	return &generator{source: source}, err
}

// header never changes: {"alg":"HS256","typ":"JWT"}.
const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

// Generate signs the claims of the principal; its value, if there is one, is the
// claim sub. The key is read for each token: it may change.
func (g *generator) Generate(ctx context.Context, principal *httpauth.Principal) (*mesosv1.Secret, error) {
	if g.source.None() {
		return nil, fmt.Errorf("there is no key to sign tokens with: the flag --jwt_secret_key names the file that holds it, and the parameter key_secret a secret")
	}
	secret, err := g.source.Read(ctx)
	if err != nil {
		return nil, err
	}
	claims := map[string]string{}
	for _, l := range principal.GetClaims().GetLabels() {
		claims[l.GetKey()] = l.GetValue()
	}
	if principal.Value != nil {
		claims["sub"] = principal.GetValue()
	}
	payload, err := json.Marshal(claims) // sorted by key
	if err != nil {
		return nil, fmt.Errorf("write the claims: %w", err)
	}
	signed := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	token := signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	return &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte(token)}}, nil
}

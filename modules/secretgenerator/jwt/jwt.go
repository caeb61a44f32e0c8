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
	"github.com/mesos-modules/mms/roles/secretgenerator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_JWTSecretGenerator"

// parameters. The agent sets the key from the file that --jwt_secret_key names.
type parameters struct {
	Key facade.Secret `mms:"key" doc:"what tokens are signed with; without it none are made"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[secretgenerator.SecretGenerator]{
		Name: Name, Version: facade.MesosVersion,
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Makes JSON Web Tokens for executors.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (secretgenerator.SecretGenerator, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return &generator{key: []byte(c.Key)}, nil
		},
	},
}}

type generator struct {
	secretgenerator.Unimplemented

	key []byte
}

// header never changes: {"alg":"HS256","typ":"JWT"}.
const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

// Generate signs the claims of the principal; its value, if there is one, is the
// claim sub.
func (g *generator) Generate(_ context.Context, principal *httpauth.Principal) (*mesosv1.Secret, error) {
	if len(g.key) == 0 {
		return nil, fmt.Errorf("there is no key to sign tokens with: the flag --jwt_secret_key names the file that holds it")
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
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(signed))
	token := signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	return &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte(token)}}, nil
}

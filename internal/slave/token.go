package slave

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
)

// tokens authenticates executors by the JSON Web Tokens (RFC 7519) that they were
// given: HMAC-SHA256 only, whatever a token says of itself.
type tokens struct {
	key []byte
	now func() time.Time
}

// challenge says what a client has to bring.
const challenge = `Bearer realm="mesos-agent-executor"`

// Authenticate implements apihttp.Authenticator.
func (t tokens) Authenticate(r *http.Request) (*apihttp.Principal, *apihttp.Refusal) {
	refuse := func(why string) (*apihttp.Principal, *apihttp.Refusal) {
		return nil, &apihttp.Refusal{Status: http.StatusUnauthorized, Challenges: []string{challenge + why}}
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return refuse("")
	}
	claims, err := t.verify(strings.TrimSpace(token))
	if err != nil {
		return refuse(`, error="invalid_token", error_description="` + err.Error() + `"`)
	}
	return &apihttp.Principal{Claims: claims}, nil
}

// executorsToo lets executors in with the tokens that they were given, and everybody
// else as another authenticator says.
type executorsToo struct {
	tokens tokens
	others apihttp.Authenticator
}

// Authenticate implements apihttp.Authenticator.
func (a executorsToo) Authenticate(r *http.Request) (*apihttp.Principal, *apihttp.Refusal) {
	if p, refusal := a.tokens.Authenticate(r); refusal == nil {
		return p, nil
	}
	return a.others.Authenticate(r)
}

// verify returns the claims of a token that this agent has signed, sorted by name.
func (t tokens) verify(token string) (*mesosv1.Labels, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("a token has three parts")
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	if err := part(parts[0], &header); err != nil || header.Algorithm != "HS256" {
		return nil, errors.New("the token is not signed by HS256")
	}
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
		return nil, errors.New("the token is not signed by this agent")
	}
	payload := map[string]any{}
	if err := part(parts[1], &payload); err != nil {
		return nil, errors.New("the claims of the token make no sense")
	}
	if until, ok := payload["exp"].(float64); ok && float64(t.now().Unix()) >= until {
		return nil, errors.New("the token has expired")
	}
	claims := &mesosv1.Labels{}
	for name, value := range payload {
		if text, ok := value.(string); ok {
			claims.Labels = append(claims.Labels, &mesosv1.Label{Key: proto.String(name), Value: proto.String(text)})
		}
	}
	slices.SortFunc(claims.Labels, func(a, b *mesosv1.Label) int { return strings.Compare(a.GetKey(), b.GetKey()) })
	return claims, nil
}

func part(text string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

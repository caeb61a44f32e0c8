package jwt

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// maxToken bounds what is read before the signature is known.
const maxToken = 16 << 10

// token is one that has been taken apart, of which nothing is believed yet.
type token struct {
	signed    string // header and payload as they came
	payload   []byte
	signature []byte
}

// parse takes a token apart and says what is wrong with it. Whatever a token says of its
// own algorithm, no other than HMAC-SHA256 is ever tried.
func parse(text string) (token, string) {
	if len(text) > maxToken {
		return token{}, fmt.Sprintf("the token is longer than %d bytes", maxToken)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return token{}, "a token has three parts"
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return token{}, "the token is no base64url"
		}
	}
	var header struct {
		Algorithm string          `json:"alg"`
		Type      *string         `json:"typ"`
		Critical  json.RawMessage `json:"crit"`
	}
	switch err := json.Unmarshal(decoded[0], &header); {
	case err != nil:
		return token{}, "the header of the token makes no sense"
	case header.Algorithm != "HS256":
		return token{}, "the token is not signed by HS256"
	case header.Type != nil && !strings.EqualFold(*header.Type, "JWT"):
		return token{}, "the token is of another type than JWT"
	case header.Critical != nil:
		return token{}, "the token wants extensions that are not known here"
	}
	return token{signed: parts[0] + "." + parts[1], payload: decoded[1], signature: decoded[2]}, ""
}

// signedBy says whether one of the keys has made the signature. The time it takes says
// nothing of how much of a signature is right.
func (t token) signedBy(keys ...[]byte) bool {
	ok := false
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(t.signed))
		ok = hmac.Equal(t.signature, mac.Sum(nil)) || ok
	}
	return ok
}

// principal is whom a token of a good signature names, and why not: the claim sub is the
// name, and all claims go with it, those that are no text as JSON, sorted.
func (t token) principal(now time.Time) (*httpauth.Principal, string) {
	var claims map[string]any
	d := json.NewDecoder(bytes.NewReader(t.payload))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil || claims == nil || d.More() {
		return nil, "the claims of the token make no sense"
	}
	until, bounded, sound := seconds(claims, "exp")
	from, begins, alsoSound := seconds(claims, "nbf")
	at := float64(now.UnixNano()) / float64(time.Second)
	switch {
	case !sound || !alsoSound:
		return nil, "exp and nbf of a token are numbers"
	case bounded && at >= until:
		return nil, "the token has expired"
	case begins && at < from:
		return nil, "the token is not valid yet"
	}
	p := &httpauth.Principal{Claims: &mesosv1.Labels{}}
	for name, value := range claims {
		text, is := value.(string)
		if !is {
			b, _ := json.Marshal(value) // it came from JSON
			text = string(b)
		}
		if name == "sub" && is {
			p.Value = proto.String(text)
		}
		p.Claims.Labels = append(p.Claims.Labels, &mesosv1.Label{Key: proto.String(name), Value: proto.String(text)})
	}
	if len(p.Claims.Labels) == 0 {
		return nil, "the token names nobody"
	}
	slices.SortFunc(p.Claims.Labels, func(a, b *mesosv1.Label) int { return strings.Compare(a.GetKey(), b.GetKey()) })
	return p, ""
}

// seconds is a claim that is a time, in seconds since 1970.
func seconds(claims map[string]any, name string) (at float64, has, sound bool) {
	value, has := claims[name]
	if !has {
		return 0, false, true
	}
	number, ok := value.(json.Number)
	if !ok {
		return 0, true, false
	}
	at, err := number.Float64()
	return at, true, err == nil
}

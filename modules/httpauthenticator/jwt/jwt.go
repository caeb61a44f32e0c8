// Package jwt is an HTTP authenticator that knows clients by JSON Web Tokens (RFC 7519) in
// the scheme Bearer (RFC 6750): the tokens that the secret generator of this name makes
// for executors, and all others that are signed with the same key by HMAC-SHA256.
package jwt

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/modules/secretresolver/key"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
)

// Name is what manifests call the module; jwt is its short name.
const Name = "org_apache_mesos_JWTHttpAuthenticator"

const scheme = "Bearer"

// parameters. The daemon sets the realm; the agent also the key, if --jwt_secret_key names
// a file.
type parameters struct {
	Realm        string        `mms:"authentication_realm" default:"mesos" doc:"what clients are told they need a token for"`
	Key          facade.Secret `mms:"key" doc:"what tokens are signed with"`
	KeySecret    string        `mms:"key_secret" doc:"name of the secret that is the key, for the secret resolver"`
	KeySecretKey string        `mms:"key_secret_key" doc:"the key within that secret, if the resolver wants one"`
	Refresh      time.Duration `mms:"key_refresh" default:"1secs" doc:"how often the resolver is asked again, at most, when tokens do not fit"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[httpauthenticator.HttpAuthenticator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Authenticates HTTP requests by JSON Web Tokens.",
		Requires:    []facade.Requirement{{Role: "SecretResolver"}},
		Parameters:  facade.SchemaOf[parameters](),
		New: func(ctx context.Context, host facade.Host, p facade.Parameters) (httpauthenticator.HttpAuthenticator, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newRealm(ctx, host, c)
		},
	},
}}

// realm knows the tokens of one realm.
type realm struct {
	httpauthenticator.Unimplemented

	challenge string
	source    key.Source
	refresh   time.Duration
	log       *slog.Logger

	mu      sync.Mutex
	keys    [][]byte  // the one in use, then the one before it
	asked   time.Time // when the resolver was asked last
	failing bool      // the last time
}

// shortKey is the length below which a key is easier to guess than the signature
// (RFC 7518, section 3.2).
const shortKey = 32

func newRealm(ctx context.Context, host facade.Host, p parameters) (*realm, error) {
	source, err := key.From(host, p.Key, p.KeySecret, p.KeySecretKey)
	if err != nil {
		return nil, err
	}
	if source.None() {
		return nil, fmt.Errorf("there is no key to verify tokens with: give the parameter key or key_secret (an agent's flag --jwt_secret_key gives it, too)")
	}
	first, err := source.Read(ctx)
	if err != nil {
		return nil, err
	}
	r := &realm{
		challenge: fmt.Sprintf("%s realm=%q", scheme, p.Realm), source: source, refresh: p.Refresh,
		keys: [][]byte{first}, asked: time.Now(),
	}
	if host != nil {
		r.log = host.Logger()
	} else {
		r.log = slog.New(slog.DiscardHandler)
	}
	if len(first) < shortKey {
		r.log.Warn("the key is short and may be guessed", "bytes", len(first), "wanted", shortKey)
	}
	return r, nil
}

// patience is how long a request waits for the resolver.
const patience = 5 * time.Second

func (r *realm) Scheme(context.Context) (string, error) { return scheme, nil }

func (r *realm) Authenticate(ctx context.Context, request *httpauth.Request) (*httpauth.Result, error) {
	text, ok := bearer(request)
	if !ok {
		return r.refuse(""), nil
	}
	t, why := parse(text)
	if why != "" {
		return r.refuse(why), nil
	}
	if !t.signedBy(r.current()...) && !t.signedBy(r.renewed(ctx)...) {
		return r.refuse("the token is not signed with the key of this realm"), nil
	}
	principal, why := t.principal(time.Now())
	if why != "" {
		return r.refuse(why), nil
	}
	return &httpauth.Result{Principal: principal}, nil
}

// refuse says what is wrong with a token, as RFC 6750, section 3 wants it.
func (r *realm) refuse(why string) *httpauth.Result {
	if why == "" {
		return &httpauth.Result{Unauthorized: proto.String(r.challenge)}
	}
	return &httpauth.Result{Unauthorized: proto.String(fmt.Sprintf("%s, error=%q, error_description=%q", r.challenge, "invalid_token", why))}
}

func (r *realm) current() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// renewed asks the resolver again, for a key that has been changed since, but not too
// often: anybody can send tokens that do not fit. The key before stays good, since
// executors go on with the tokens that they have. A resolver that fails changes nothing.
func (r *realm) renewed(ctx context.Context) [][]byte {
	if r.source.Fixed() {
		return nil
	}
	now := time.Now()
	r.mu.Lock()
	if now.Sub(r.asked) < r.refresh {
		defer r.mu.Unlock()
		return r.keys // another call may have renewed them meanwhile
	}
	r.asked = now
	r.mu.Unlock()
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	next, err := r.source.Read(asking)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && !r.failing && ctx.Err() == nil {
		r.log.Warn("the key cannot be read again; the old one stays in use", "error", err)
	}
	if r.failing = err != nil; r.failing {
		return nil
	}
	if string(next) != string(r.keys[0]) {
		r.keys = [][]byte{next, r.keys[0]}
		r.log.Info("the key has changed; tokens of the one before are still taken")
	}
	return r.keys
}

// bearer is the token of the header Authorization.
func bearer(request *httpauth.Request) (token string, ok bool) {
	for _, h := range request.GetHeaders() {
		if !strings.EqualFold(h.GetName(), "Authorization") {
			continue
		}
		if given, text, _ := strings.Cut(h.GetValue(), " "); strings.EqualFold(given, scheme) {
			return strings.TrimSpace(text), true
		}
	}
	return "", false
}

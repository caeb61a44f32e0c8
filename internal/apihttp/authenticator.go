package apihttp

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
)

// Modules authenticates a realm with modules: the first one that knows a principal
// wins. If none does, the client is told all challenges, or else that it is
// forbidden. A module that fails is passed over and logged.
func Modules(log *slog.Logger, all ...httpauthenticator.HttpAuthenticator) Authenticator {
	return &modules{log: log, all: all}
}

type modules struct {
	log *slog.Logger
	all []httpauthenticator.HttpAuthenticator
}

// Authenticate implements Authenticator.
func (m *modules) Authenticate(r *http.Request) (*Principal, *Refusal) {
	question := questionOf(r)
	unauthorized := &Refusal{Status: http.StatusUnauthorized}
	var forbidden *Refusal
	for _, a := range m.all {
		result, err := a.Authenticate(r.Context(), question)
		switch {
		case err != nil:
			if r.Context().Err() == nil {
				m.log.Warn("an HTTP authenticator failed", "error", err)
			}
		case result.GetPrincipal() != nil:
			return &Principal{Value: result.GetPrincipal().Value, Claims: result.GetPrincipal().GetClaims()}, nil
		case result.GetUnauthorized() != "":
			unauthorized.Challenges = append(unauthorized.Challenges, result.GetUnauthorized())
		case result.GetForbidden() != "" && forbidden == nil:
			forbidden = &Refusal{Status: http.StatusForbidden, Text: result.GetForbidden()}
		}
	}
	if len(unauthorized.Challenges) == 0 && forbidden != nil {
		return nil, forbidden
	}
	if len(unauthorized.Challenges) == 0 {
		unauthorized.Challenges = m.schemes(r.Context())
	}
	return nil, unauthorized
}

// schemes are the challenges where no module made one, because all failed.
func (m *modules) schemes(ctx context.Context) []string {
	var all []string
	for _, a := range m.all {
		if scheme, err := a.Scheme(ctx); err == nil {
			all = append(all, scheme)
		}
	}
	return all
}

// questionOf is the request as modules see it, headers in a fixed order.
func questionOf(r *http.Request) *httpauth.Request {
	q := &httpauth.Request{Method: &r.Method, Url: proto.String(r.URL.RequestURI()), Peer: &r.RemoteAddr}
	for name, values := range r.Header {
		for _, v := range values {
			q.Headers = append(q.Headers, &httpauth.Header{Name: proto.String(name), Value: proto.String(v)})
		}
	}
	slices.SortStableFunc(q.Headers, func(a, b *httpauth.Header) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return q
}

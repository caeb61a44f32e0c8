package apihttp

import (
	"context"
	"net/http"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Principal is who sent a request. Value may be absent, as with some tokens.
type Principal struct {
	Value  *string
	Claims *mesosv1.Labels
}

// Realm is a group of routes that is authenticated alike.
type Realm uint8

const (
	RealmNone Realm = iota
	RealmReadOnly
	RealmReadWrite
	RealmFrameworks // the scheduler API
	RealmExecutors  // the executor API
)

// Authenticator finds out who sent requests to a realm. It may be called from any
// number of goroutines.
type Authenticator interface {
	// Authenticate returns the principal; or a refusal, which is a 401 with
	// challenges or a 403.
	Authenticate(r *http.Request) (*Principal, *Refusal)
}

// Realms says who authenticates a realm. One that is not in it is open to all: then
// credentials in requests are not looked at.
type Realms map[Realm]Authenticator

type principalKey struct{}

// PrincipalOf is who sent a request, nil if nobody asked.
func PrincipalOf(r *http.Request) *Principal {
	p, _ := r.Context().Value(principalKey{}).(*Principal)
	return p
}

func (rs Realms) authenticate(realm Realm, r *http.Request) (*http.Request, *Refusal) {
	a := rs[realm]
	if a == nil {
		return r, nil
	}
	p, refusal := a.Authenticate(r)
	if refusal != nil {
		return r, refusal
	}
	return r.WithContext(context.WithValue(r.Context(), principalKey{}, p)), nil
}

// NeedValue refuses a principal that has claims only.
func NeedValue(r *http.Request) *Refusal {
	if p := PrincipalOf(r); p != nil && p.Value == nil {
		return Refuse(http.StatusForbidden, "The request's authenticated principal contains claims, but no value string. "+
			"This API needs one")
	}
	return nil
}

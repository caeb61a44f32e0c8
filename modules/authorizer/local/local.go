// Package local is the authorizer that Mesos has by default: the operator's access
// control lists, in Mesos' JSON.
//
// For each action there is a list, and its first entry that is about the subject and
// the object decides. If none is, the field permissive does: true, if it is not set.
package local

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/roles/authorizer"
)

// Name is what manifests and flags call the module; local is its short name.
const Name = "org_apache_mesos_LocalAuthorizer"

// parameters. The daemon sets the lists from its flag --acls.
type parameters struct {
	ACLs string `mms:"acls" default:"{}" doc:"the lists, as JSON"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[authorizer.Authorizer]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Authorizes by access control lists.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (authorizer.Authorizer, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return parse([]byte(c.ACLs))
		},
	},
}}

// Authorize implements authorizer.Authorizer. The lists do not change.
func (l *lists) Authorize(_ context.Context, requests []*authorization.Request) ([]bool, error) {
	allowed := make([]bool, len(requests))
	for i, r := range requests {
		allowed[i] = l.allows(r)
	}
	return allowed, nil
}

// allows decides about one request. An action that comes under several lists needs
// the consent of each.
func (l *lists) allows(r *authorization.Request) bool {
	about, ok := actions[r.GetAction()]
	if !ok {
		return l.permissive // an action that has no list
	}
	subject := anything
	if r.GetSubject().GetValue() != "" {
		subject = some(r.GetSubject().GetValue())
	}
	for _, a := range about {
		if !l.allow(a.list, subject, a.object(r.GetObject())) {
			return false
		}
	}
	return true
}

// allow goes through one list.
func (l *lists) allow(list string, subject, object entity) bool {
	for _, e := range l.entries[list] {
		if subject.concerns(e.subjects) && object.concerns(e.objects) {
			return subject.permittedBy(e.subjects) && object.permittedBy(e.objects)
		}
	}
	return l.permissive
}

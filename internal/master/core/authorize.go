package core

import (
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// authorize asks the authorizer and goes on with one answer for each request. Without
// an authorizer, or without a question, it goes on at once and everything is allowed.
func (c *Core) authorize(requests []*authorization.Request, then func(allowed []bool, err error)) {
	if !c.config.Authorize || len(requests) == 0 {
		allowed := make([]bool, len(requests))
		for i := range allowed {
			allowed[i] = true
		}
		then(allowed, nil)
		return
	}
	ticket := c.await(func(answer any) {
		e := answer.(Authorized)
		allowed := make([]bool, len(requests)) // what has no answer is not allowed
		if e.Err == nil {
			copy(allowed, e.Allowed)
		}
		then(allowed, e.Err)
	})
	c.emit(Authorize{ticket, requests})
}

// subjectOf is a framework as authorizers see it; nil for one without a principal.
func subjectOf(info *mesosv1.FrameworkInfo) *authorization.Subject {
	if info.GetPrincipal() == "" {
		return nil
	}
	return &authorization.Subject{Value: proto.String(info.GetPrincipal())}
}

func subject(p *Principal) *authorization.Subject {
	if p == nil {
		return nil
	}
	return &authorization.Subject{Value: p.Value, Claims: p.Claims}
}

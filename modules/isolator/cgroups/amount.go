package cgroups

import (
	"math"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Amount is how much of one resource a container may use.
type Amount struct {
	// Request is what it is given, the sum over all roles; Revocable says that some of
	// it can be taken back.
	Request   float64
	Revocable bool

	// Limit is what it may not exceed, and can be infinite; without one HasLimit is
	// false, and nothing but the request is known.
	Limit    float64
	HasLimit bool
}

// AmountOf reads requests and limits. It says false if neither names the resource.
func AmountOf(resource string, requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) (Amount, bool) {
	var a Amount
	named := false
	for _, r := range requests {
		if r.GetName() == resource {
			named = true
			a.Request += r.GetScalar().GetValue()
			a.Revocable = a.Revocable || r.GetRevocable() != nil
		}
	}
	if l, ok := limits[resource]; ok {
		named = true
		a.Limit, a.HasLimit = l.GetValue(), true
	}
	return a, named
}

// Most returns the limit, or the request where there is none.
func (a Amount) Most() float64 {
	if a.HasLimit {
		return a.Limit
	}
	return a.Request
}

// Infinite says that nothing is exceeded.
func (a Amount) Infinite() bool { return math.IsInf(a.Most(), 1) }

// Package secret tells resolvers what they are asked for.
package secret

import (
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Split returns the value of a secret that comes with it, or else the reference that has
// to be looked up. A secret that is neither, or both, is an error.
func Split(s *mesosv1.Secret) (*mesosv1.Secret_Value, *mesosv1.Secret_Reference, error) {
	switch {
	case s.GetReference() != nil && s.GetValue() != nil:
		return nil, nil, fmt.Errorf("the secret %q has both a reference and a value", s.GetReference().GetName())
	case s.GetType() == mesosv1.Secret_VALUE && s.GetValue() == nil:
		return nil, nil, fmt.Errorf("the secret is of type VALUE and has none")
	case s.GetType() == mesosv1.Secret_VALUE:
		return s.GetValue(), nil, nil
	case s.GetType() == mesosv1.Secret_REFERENCE && s.GetReference().GetName() == "":
		return nil, nil, fmt.Errorf("the secret is of type REFERENCE and names none")
	case s.GetType() == mesosv1.Secret_REFERENCE:
		return nil, s.GetReference(), nil
	default:
		return nil, nil, fmt.Errorf("the secret is of type %v, which is neither VALUE nor REFERENCE", s.GetType())
	}
}

package validate

import (
	"errors"
	"fmt"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// command says what is wrong with a command; none is right.
func command(info *mesosv1.CommandInfo) error {
	for _, v := range info.GetEnvironment().GetVariables() {
		if err := variable(v); err != nil {
			return err
		}
	}
	return nil
}

func variable(v *mesosv1.Environment_Variable) error {
	name := printable(v.GetName())
	switch kind := v.GetType(); kind {
	case mesosv1.Environment_Variable_VALUE:
		switch {
		case v.Value == nil:
			return fmt.Errorf("environment variable '%s' of type 'VALUE' must have a value set", name)
		case v.Secret != nil:
			return fmt.Errorf("environment variable '%s' of type 'VALUE' must not have a secret set", name)
		}
		return nil
	case mesosv1.Environment_Variable_SECRET:
		switch {
		case v.Secret == nil:
			return fmt.Errorf("environment variable '%s' of type 'SECRET' must have a secret set", name)
		case v.Value != nil:
			return fmt.Errorf("environment variable '%s' of type 'SECRET' must not have a value set", name)
		}
		if err := secret(v.GetSecret()); err != nil {
			return fmt.Errorf("environment variable '%s' specifies an invalid secret: %w", name, err)
		}
		if strings.ContainsRune(string(v.GetSecret().GetValue().GetData()), 0) {
			return fmt.Errorf("environment variable '%s' specifies a secret containing null bytes, which is not allowed in the environment", name)
		}
		return nil
	default:
		return fmt.Errorf("environment variable '%s' of type '%s' is not allowed", name, kind)
	}
}

func secret(s *mesosv1.Secret) error {
	switch kind := s.GetType(); kind {
	case mesosv1.Secret_REFERENCE:
		switch {
		case s.Reference == nil:
			return errors.New("a secret of type REFERENCE must have the 'reference' field set")
		case s.Value != nil:
			return errors.New("a secret of type REFERENCE must not have the 'value' field set")
		}
		return nil
	case mesosv1.Secret_VALUE:
		switch {
		case s.Value == nil:
			return errors.New("a secret of type VALUE must have the 'value' field set")
		case s.Reference != nil:
			return errors.New("a secret of type VALUE must not have the 'reference' field set")
		}
		return nil
	default:
		return fmt.Errorf("secret type '%s' is not supported", kind)
	}
}

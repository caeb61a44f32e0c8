package validate

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// maxRegex is how long the source of a regular expression may be: what it compiles
// to is in proportion. Mesos bounds what it compiles to, which Go does not show.
const maxRegex = 4 << 10

// OfferConstraints says what is wrong with a framework's constraints on the agents
// whose offers it wants.
func OfferConstraints(info *mesosv1.FrameworkInfo, constraints *scheduler.OfferConstraints) error {
	byRole := constraints.GetRoleConstraints()
	own := FrameworkRoles(info)
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		if !slices.Contains(own, role) {
			return fmt.Errorf("offer constraints specify role '%s' that is not one of the framework's roles", printable(role))
		}
		if err := constraintGroups(byRole[role].GetGroups()); err != nil {
			return fmt.Errorf("offer constraints of role '%s' are invalid: %w", role, err)
		}
	}
	return nil
}

func constraintGroups(groups []*scheduler.OfferConstraints_RoleConstraints_Group) error {
	if len(groups) == 0 {
		return errors.New("'groups' is empty")
	}
	for _, group := range groups {
		if len(group.GetAttributeConstraints()) == 0 {
			return errors.New("'groups' contains an empty group")
		}
		for _, c := range group.GetAttributeConstraints() {
			if err := constraintSelector(c.GetSelector()); err != nil {
				return fmt.Errorf("an 'AttributeConstraint' is invalid: %w", err)
			}
			if err := constraintPredicate(c.GetPredicate()); err != nil {
				return fmt.Errorf("an 'AttributeConstraint' is invalid: %w", err)
			}
		}
	}
	return nil
}

func constraintSelector(selector *scheduler.AttributeConstraint_Selector) error {
	switch s := selector.GetSelector().(type) {
	case *scheduler.AttributeConstraint_Selector_AttributeName:
		return nil
	case *scheduler.AttributeConstraint_Selector_PseudoattributeType_:
		switch s.PseudoattributeType {
		case scheduler.AttributeConstraint_Selector_HOSTNAME,
			scheduler.AttributeConstraint_Selector_REGION,
			scheduler.AttributeConstraint_Selector_ZONE:
			return nil
		default:
			return fmt.Errorf("unknown pseudoattribute type %s", s.PseudoattributeType)
		}
	default:
		return errors.New("exactly one of 'selector.attribute_name' and 'selector.pseudoattribute_type' must be set")
	}
}

func constraintPredicate(predicate *scheduler.AttributeConstraint_Predicate) error {
	switch p := predicate.GetPredicate().(type) {
	case *scheduler.AttributeConstraint_Predicate_Exists_,
		*scheduler.AttributeConstraint_Predicate_NotExists_,
		*scheduler.AttributeConstraint_Predicate_TextEquals_,
		*scheduler.AttributeConstraint_Predicate_TextNotEquals_:
		return nil
	case *scheduler.AttributeConstraint_Predicate_TextMatches_:
		return regex(p.TextMatches.GetRegex())
	case *scheduler.AttributeConstraint_Predicate_TextNotMatches_:
		return regex(p.TextNotMatches.GetRegex())
	default:
		return errors.New("unknown predicate type")
	}
}

func regex(source string) error {
	if len(source) > maxRegex {
		return fmt.Errorf("a regex of %d bytes is too complex: the limit is %d", len(source), maxRegex)
	}
	if _, err := regexp.Compile(source); err != nil {
		return fmt.Errorf("failed to construct regex from pattern '%s': %w", printable(source), err)
	}
	return nil
}

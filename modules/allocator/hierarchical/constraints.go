package hierarchical

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// constraints say which agents a framework wants offers of in one role: those that
// satisfy all of any group.
type constraints struct {
	groups [][]condition
}

// condition is one about an attribute, or what stands for one. How it answers about
// attributes that are no text is upstream's: those are for the framework to judge.
type condition struct {
	value func(*mesosv1.AgentInfo) value
	holds func(value) bool
}

// value is that of an attribute.
type value struct {
	there bool
	text  *string // nil: it has another type
}

// allows says whether the agent is wanted; nil wants all.
func (c *constraints) allows(info *mesosv1.AgentInfo) bool {
	return c == nil || slices.ContainsFunc(c.groups, func(group []condition) bool {
		for _, each := range group {
			if !each.holds(each.value(info)) {
				return false
			}
		}
		return true
	})
}

// readConstraints returns constraints by role.
func readConstraints(m *scheduler.OfferConstraints) (map[string]*constraints, error) {
	all := map[string]*constraints{}
	for _, role := range slices.Sorted(maps.Keys(m.GetRoleConstraints())) {
		groups := m.GetRoleConstraints()[role].GetGroups()
		if len(groups) == 0 {
			return nil, fmt.Errorf("offer constraints of role %s have no group", role)
		}
		c := &constraints{}
		for i, g := range groups {
			if len(g.GetAttributeConstraints()) == 0 {
				return nil, fmt.Errorf("offer constraints of role %s: group %d is empty", role, i)
			}
			var group []condition
			for _, one := range g.GetAttributeConstraints() {
				read, err := readCondition(one)
				if err != nil {
					return nil, fmt.Errorf("offer constraints of role %s: group %d: %w", role, i, err)
				}
				group = append(group, read)
			}
			c.groups = append(c.groups, group)
		}
		all[role] = c
	}
	return all, nil
}

func readCondition(m *scheduler.AttributeConstraint) (c condition, err error) {
	if c.value, err = readSelector(m.GetSelector()); err != nil {
		return c, err
	}
	c.holds, err = readPredicate(m.GetPredicate())
	return c, err
}

func readSelector(m *scheduler.AttributeConstraint_Selector) (func(*mesosv1.AgentInfo) value, error) {
	switch s := m.GetSelector().(type) {
	case *scheduler.AttributeConstraint_Selector_AttributeName:
		return attribute(s.AttributeName), nil
	case *scheduler.AttributeConstraint_Selector_PseudoattributeType_:
		switch s.PseudoattributeType {
		case scheduler.AttributeConstraint_Selector_HOSTNAME:
			return func(info *mesosv1.AgentInfo) value { return textOf(info.GetHostname()) }, nil
		case scheduler.AttributeConstraint_Selector_REGION:
			return domain(func(d *mesosv1.DomainInfo_FaultDomain) string { return d.GetRegion().GetName() }), nil
		case scheduler.AttributeConstraint_Selector_ZONE:
			return domain(func(d *mesosv1.DomainInfo_FaultDomain) string { return d.GetZone().GetName() }), nil
		default:
			return nil, fmt.Errorf("there is no pseudoattribute %v", s.PseudoattributeType)
		}
	default:
		return nil, errors.New("a selector has neither an attribute's name nor a pseudoattribute")
	}
}

func textOf(text string) value { return value{there: true, text: &text} }

// attribute is the first of a name.
func attribute(name string) func(*mesosv1.AgentInfo) value {
	return func(info *mesosv1.AgentInfo) value {
		for _, each := range info.GetAttributes() {
			if each.GetName() != name {
				continue
			}
			if each.GetType() != mesosv1.Value_TEXT {
				return value{there: true}
			}
			return textOf(each.GetText().GetValue())
		}
		return value{}
	}
}

func domain(name func(*mesosv1.DomainInfo_FaultDomain) string) func(*mesosv1.AgentInfo) value {
	return func(info *mesosv1.AgentInfo) value {
		if d := info.GetDomain().GetFaultDomain(); d != nil {
			return textOf(name(d))
		}
		return value{}
	}
}

func readPredicate(m *scheduler.AttributeConstraint_Predicate) (func(value) bool, error) {
	switch p := m.GetPredicate().(type) {
	case *scheduler.AttributeConstraint_Predicate_Exists_:
		return func(v value) bool { return v.there }, nil
	case *scheduler.AttributeConstraint_Predicate_NotExists_:
		return func(v value) bool { return !v.there }, nil
	case *scheduler.AttributeConstraint_Predicate_TextEquals_:
		want := p.TextEquals.GetValue()
		return is(func(text string) bool { return text == want }), nil
	case *scheduler.AttributeConstraint_Predicate_TextNotEquals_:
		want := p.TextNotEquals.GetValue()
		return isNot(func(text string) bool { return text == want }), nil
	case *scheduler.AttributeConstraint_Predicate_TextMatches_:
		match, err := matcher(p.TextMatches.GetRegex())
		return is(match), err
	case *scheduler.AttributeConstraint_Predicate_TextNotMatches_:
		match, err := matcher(p.TextNotMatches.GetRegex())
		return isNot(match), err
	default:
		return nil, fmt.Errorf("there is no predicate %T", p)
	}
}

func is(match func(string) bool) func(value) bool {
	return func(v value) bool { return v.there && (v.text == nil || match(*v.text)) }
}

func isNot(match func(string) bool) func(value) bool {
	return func(v value) bool { return !v.there || v.text == nil || !match(*v.text) }
}

// matcher wants the whole text to match.
func matcher(pattern string) (func(string) bool, error) {
	if _, err := regexp.Compile(pattern); err != nil { // the pattern alone: brackets cannot close ours
		return nil, err
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, err
	}
	return whole.MatchString, nil
}

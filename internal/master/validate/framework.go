package validate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// FrameworkInfo says what is wrong with what a framework says of itself. What
// depends on the master (the whitelist of roles, root, who is authenticated) is not
// looked at.
func FrameworkInfo(info *mesosv1.FrameworkInfo) error {
	if err := frameworkRoles(info); err != nil {
		return err
	}
	if info.GetId().GetValue() != "" { // a new framework may say an empty one
		if err := ID(info.GetId().GetValue()); err != nil {
			return fmt.Errorf("'FrameworkInfo.id' is invalid: %w", err)
		}
	}
	if err := offerFilters(info.GetOfferFilters()); err != nil {
		return err
	}
	return failoverTimeout(info.GetFailoverTimeout())
}

// FrameworkRoles are the roles that a framework subscribes to. The caller owns the
// slice.
func FrameworkRoles(info *mesosv1.FrameworkInfo) []string {
	if multiRole(info) {
		return slices.Clone(info.GetRoles())
	}
	return []string{info.GetRole()}
}

func multiRole(info *mesosv1.FrameworkInfo) bool {
	return slices.ContainsFunc(info.GetCapabilities(), func(c *mesosv1.FrameworkInfo_Capability) bool {
		return c.GetType() == mesosv1.FrameworkInfo_Capability_MULTI_ROLE
	})
}

func frameworkRoles(info *mesosv1.FrameworkInfo) error {
	if multiRole(info) {
		if info != nil && info.Role != nil {
			return errors.New("'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable")
		}
	} else if len(info.GetRoles()) > 0 {
		return errors.New("'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable")
	}
	if twice := duplicates(info.GetRoles()); len(twice) > 0 {
		return fmt.Errorf("'FrameworkInfo.roles' contains duplicate items: %s", printable(strings.Join(twice, ", ")))
	}
	for _, role := range FrameworkRoles(info) {
		if err := RoleName(role); err != nil {
			return fmt.Errorf("'FrameworkInfo' has an invalid role: %w", err)
		}
	}
	return nil
}

func duplicates(items []string) []string {
	seen := make(map[string]int, len(items))
	var twice []string
	for _, item := range items {
		if seen[item]++; seen[item] == 2 {
			twice = append(twice, item)
		}
	}
	return twice
}

// failoverTimeout holds if the seconds are a duration of Mesos, which has 64 bits of
// nanoseconds.
func failoverTimeout(seconds float64) error {
	switch {
	case math.IsNaN(seconds) || math.Abs(seconds) >= math.MaxInt64/1e9:
		return fmt.Errorf("the framework failover_timeout (%v) is invalid: it is not within the range of durations", seconds)
	case seconds < 0:
		return fmt.Errorf("the framework failover_timeout (%v) must be non-negative", seconds)
	default:
		return nil
	}
}

func offerFilters(filters map[string]*mesosv1.OfferFilters) error {
	for _, role := range slices.Sorted(maps.Keys(filters)) {
		for _, minimum := range filters[role].GetMinAllocatableResources().GetQuantities() {
			if err := minimumQuantities(minimum.GetQuantities()); err != nil {
				return fmt.Errorf("invalid minimum allocatable resources in 'FrameworkInfo.offer_filters' of role '%s': %w", printable(role), err)
			}
		}
	}
	return nil
}

func minimumQuantities(quantities map[string]*mesosv1.Value_Scalar) error {
	if len(quantities) == 0 {
		return errors.New("resource quantities must contain at least one quantity")
	}
	return Quantities(quantities)
}

// Quantities says what is wrong with amounts: each is to be a number that is finite,
// not negative and neither too small to be told from nothing by the processor.
func Quantities(quantities map[string]*mesosv1.Value_Scalar) error {
	for _, name := range slices.Sorted(maps.Keys(quantities)) {
		if err := amount(quantities[name].GetValue()); err != nil {
			return fmt.Errorf("invalid resource quantity for '%s': %w", printable(name), err)
		}
	}
	return nil
}

const smallestNormal = 0x1p-1022

func amount(v float64) error {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return errors.New("only finite values are supported")
	case v < 0:
		return errors.New("negative values are not supported")
	case v != 0 && v < smallestNormal:
		return errors.New("subnormal values are not supported")
	default:
		return nil
	}
}

// SuppressedRoles says which of the roles is not one of the framework's.
func SuppressedRoles(info *mesosv1.FrameworkInfo, roles []string) error {
	own := FrameworkRoles(info)
	for _, role := range roles {
		if !slices.Contains(own, role) {
			return fmt.Errorf("suppressed role '%s' is not contained in the list of roles of the framework", printable(role))
		}
	}
	return nil
}

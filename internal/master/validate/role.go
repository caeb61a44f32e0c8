package validate

import (
	"errors"
	"fmt"
	"math"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
)

// Weights says what is wrong with weights that an operator sets.
func Weights(weights []*mesosv1.WeightInfo) error {
	for _, w := range weights {
		if err := RoleName(w.GetRole()); err != nil {
			return fmt.Errorf("Invalid role in a weight: %w", err)
		}
		if v := w.GetWeight(); math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
			return fmt.Errorf("Invalid weight '%v' of role '%s': weights must be positive", v, w.GetRole())
		}
	}
	return nil
}

// QuotaConfigs says what is wrong with the quotas of one UPDATE_QUOTA, but for what
// depends on the cluster.
func QuotaConfigs(configs []*quota.QuotaConfig) error {
	seen := make(map[string]bool, len(configs))
	for _, c := range configs {
		role := c.GetRole()
		if err := RoleName(role); err != nil {
			return fmt.Errorf("Invalid 'QuotaConfig': %w", err)
		}
		switch {
		case role == resources.AnyRole:
			return errors.New("Invalid 'QuotaConfig': the default role '*' cannot have a quota")
		case strings.Contains(role, "/"):
			return fmt.Errorf("Invalid 'QuotaConfig': quota of the nested role '%s' is not supported", role)
		case seen[role]:
			return fmt.Errorf("Invalid 'QuotaConfig': role '%s' comes twice", role)
		}
		seen[role] = true
		if err := quotaAmounts(c); err != nil {
			return fmt.Errorf("Invalid 'QuotaConfig' of role '%s': %w", role, err)
		}
	}
	return nil
}

func quotaAmounts(c *quota.QuotaConfig) error {
	if err := Quantities(c.GetGuarantees()); err != nil {
		return fmt.Errorf("'guarantees': %w", err)
	}
	if err := Quantities(c.GetLimits()); err != nil {
		return fmt.Errorf("'limits': %w", err)
	}
	guarantees, err := resources.NewQuantities(c.GetGuarantees())
	if err != nil {
		return fmt.Errorf("'guarantees': %w", err)
	}
	limits, err := resources.NewLimits(c.GetLimits())
	if err != nil {
		return fmt.Errorf("'limits': %w", err)
	}
	if !limits.Allows(guarantees) {
		return fmt.Errorf("guarantees %s are above limits %s", guarantees, limits)
	}
	return nil
}

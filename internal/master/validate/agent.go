package validate

import (
	"errors"
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// AgentInfo says what is wrong with what an agent says of itself.
func AgentInfo(info *mesosv1.AgentInfo) error {
	if info.Id != nil {
		if err := ID(info.GetId().GetValue()); err != nil {
			return fmt.Errorf("'AgentInfo.id' is invalid: %w", err)
		}
	}
	if info.GetHostname() == "" {
		return errors.New("'AgentInfo.hostname' must not be empty")
	}
	if port := info.GetPort(); port < 0 || port > 1<<16-1 {
		return fmt.Errorf("'AgentInfo.port' %d is invalid", port)
	}
	if err := resourceMessages(info.GetResources()); err != nil {
		return fmt.Errorf("agent uses invalid resources: %w", err)
	}
	if err := uniquePersistence(info.GetResources()); err != nil {
		return fmt.Errorf("agent uses duplicate persistence ID: %w", err)
	}
	for i, a := range info.GetAttributes() {
		if err := resources.ValidateAttribute(a); err != nil {
			return fmt.Errorf("attribute %d of the agent is invalid: %w", i, err)
		}
	}
	return nil
}

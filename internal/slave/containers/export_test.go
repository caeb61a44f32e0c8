package containers

import mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"

// Destroying puts a container where it is between the decision to destroy it and the
// first step of that: calls are then still answered.
func (s *Service) Destroying(id *mesosv1.ContainerID) error {
	c, err := s.find(id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.state = destroying
	return nil
}

package core

import mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"

// Lookup returns what is known of a framework that is registered or completed, and of
// one of its tasks that has not ended; nil for what is not known.
func (c *Core) Lookup(id *mesosv1.FrameworkID, taskID *mesosv1.TaskID) (*mesosv1.FrameworkInfo, *mesosv1.Task) {
	f, ok := c.frameworks.get(id.GetValue())
	if !ok {
		if f, ok = c.completed.get(id.GetValue()); !ok {
			return nil, nil
		}
	}
	if t, ok := f.tasks.get(taskID.GetValue()); ok {
		return f.info, t.info
	}
	return f.info, nil
}

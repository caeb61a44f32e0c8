package executor

import (
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// DefaultPath is the PATH of a task where nothing sets one.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Variables is an environment under construction: later settings replace earlier ones, in place. Its order is that of
// the first settings.
type Variables struct {
	names  []string
	values map[string]string
}

// Set sets a variable.
func (v *Variables) Set(name, value string) {
	if v.values == nil {
		v.values = map[string]string{}
	}
	if _, known := v.values[name]; !known {
		v.names = append(v.names, name)
	}
	v.values[name] = value
}

// AddAll sets variables written as NAME=VALUE; other texts are left out.
func (v *Variables) AddAll(environ []string) {
	for _, entry := range environ {
		if name, value, found := strings.Cut(entry, "="); found && name != "" {
			v.Set(name, value)
		}
	}
}

// AddMessage sets the variables of a message that have a value; secrets that nobody has resolved have none.
func (v *Variables) AddMessage(e *mesosv1.Environment) {
	for _, variable := range e.GetVariables() {
		if variable.GetType() != mesosv1.Environment_Variable_SECRET {
			v.Set(variable.GetName(), variable.GetValue())
		}
	}
}

// Get returns a variable's value, or nothing.
func (v *Variables) Get(name string) string { return v.values[name] }

// Unset takes a variable out.
func (v *Variables) Unset(name string) {
	v.names = slices.DeleteFunc(v.names, func(n string) bool { return n == name })
	delete(v.values, name)
}

// Environ is the environment as programs get it.
func (v *Variables) Environ() []string {
	entries := make([]string, 0, len(v.names))
	for _, name := range v.names {
		entries = append(entries, name+"="+v.values[name])
	}
	return entries
}

// AllocationRole is the role that the resources of a task are allocated to, or nothing.
func AllocationRole(resources []*mesosv1.Resource) string {
	for _, r := range resources {
		if role := r.GetAllocationInfo().GetRole(); role != "" {
			return role
		}
	}
	return ""
}

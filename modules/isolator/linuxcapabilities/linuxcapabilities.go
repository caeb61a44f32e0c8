// Package linuxcapabilities is the isolator linux/capabilities: containers have the Linux
// capabilities that they ask for, within what the operator allows.
package linuxcapabilities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_LinuxCapabilitiesIsolator"
	Word = "linux/capabilities"
)

type parameters struct {
	Effective string `mms:"effective_capabilities" doc:"the capabilities of containers that ask for none, as CapabilityInfo in JSON; without it, those of their user"`
	Bounding  string `mms:"bounding_capabilities" doc:"the most that any container can have or get, as CapabilityInfo in JSON; without it, all"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Gives containers the Linux capabilities they ask for, within what the operator allows.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, given facade.Parameters) (isolator.Isolator, error) {
			p, err := facade.Decode[parameters](given)
			if err != nil {
				return nil, err
			}
			return newLimits(p)
		},
	},
}}

// limits are the operator's. It keeps nothing of any container.
type limits struct {
	isolator.Unimplemented
	effective, bounding *mesosv1.CapabilityInfo // nil: none
}

var _ isolator.Isolator = (*limits)(nil)

func newLimits(p parameters) (*limits, error) {
	l := &limits{}
	var errs []error
	for _, one := range []struct {
		key, text string
		to        **mesosv1.CapabilityInfo
	}{{"effective_capabilities", p.Effective, &l.effective}, {"bounding_capabilities", p.Bounding, &l.bounding}} {
		if one.text == "" {
			continue
		}
		info, err := read(one.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("parameter %s: %w", one.key, err))
			continue
		}
		*one.to = info
	}
	if more := beyond(l.effective, l.bounding); more != "" {
		errs = append(errs, fmt.Errorf("parameter effective_capabilities: %s is not among the bounding_capabilities", more))
	}
	return l, errors.Join(errs...)
}

// read reads a CapabilityInfo. Mesos' JSON leaves out names that it does not know: here
// that would take away what the operator meant to give.
func read(text string) (*mesosv1.CapabilityInfo, error) {
	var given struct {
		Capabilities []string `json:"capabilities"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		return nil, fmt.Errorf(`it is not of the form {"capabilities": ["NET_RAW"]}: %w`, err)
	}
	info := &mesosv1.CapabilityInfo{}
	for _, name := range given.Capabilities {
		number, ok := mesosv1.CapabilityInfo_Capability_value[name]
		if !ok || number == int32(mesosv1.CapabilityInfo_UNKNOWN) {
			return nil, fmt.Errorf("there is no capability %s", name)
		}
		info.Capabilities = append(info.Capabilities, mesosv1.CapabilityInfo_Capability(number))
	}
	return info, nil
}

// SupportsNesting is true: a nested container has capabilities of its own.
func (*limits) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true as well.
func (*limits) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Prepare says what the container's command starts with, and what it can ever get.
func (l *limits) Prepare(_ context.Context, _ *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	asked, err := requestOf(config)
	if err != nil {
		return nil, err
	}
	if config.GetContainerClass() == slave.ContainerClass_DEBUG && asked == (request{}) {
		return nil, nil // it has its parent's
	}
	if more := beyond(asked.bounding, l.bounding); more != "" {
		return nil, fmt.Errorf("the container asks for the bounding capability %s, and --bounding_capabilities allows only %s", more, text(l.bounding))
	}
	launch := &slave.ContainerLaunchInfo{EffectiveCapabilities: asked.effective, BoundingCapabilities: asked.bounding}
	if launch.BoundingCapabilities == nil {
		launch.BoundingCapabilities = l.bounding
	}
	if launch.EffectiveCapabilities == nil && l.effective != nil {
		launch.EffectiveCapabilities = both(l.effective, launch.BoundingCapabilities)
	}
	if launch.EffectiveCapabilities == nil && launch.BoundingCapabilities == nil {
		return nil, nil
	}
	if more := beyond(launch.EffectiveCapabilities, launch.BoundingCapabilities); more != "" {
		return nil, fmt.Errorf("the container asks for the capability %s, which is not among the bounding ones: %s", more, text(launch.BoundingCapabilities))
	}
	if launch.BoundingCapabilities == nil {
		launch.BoundingCapabilities = launch.EffectiveCapabilities
	}
	return launch, nil
}

// Cleanup has nothing to undo.
func (*limits) Cleanup(context.Context, *mesosv1.ContainerID) error { return nil }

// request is what a container asks for; nil: nothing.
type request struct{ effective, bounding *mesosv1.CapabilityInfo }

func requestOf(config *slave.ContainerConfig) (request, error) {
	info := config.GetContainerInfo()
	linux := info.GetLinuxInfo()
	r := request{effective: linux.GetEffectiveCapabilities(), bounding: linux.GetBoundingCapabilities()}
	old := linux.GetCapabilityInfo()
	switch {
	case r.effective != nil && old != nil:
		return r, errors.New("the container names both effective_capabilities and the deprecated capability_info: one of them is enough")
	case old != nil:
		r.effective = old
	}
	if r == (request{}) {
		return r, nil
	}
	if info.GetType() != mesosv1.ContainerInfo_MESOS {
		return r, fmt.Errorf("capabilities are for containers of the type MESOS, and this one is of the type %v", info.GetType())
	}
	return r, errors.Join(known(r.effective), known(r.bounding))
}

// known refuses capabilities that this release has no name for.
func known(info *mesosv1.CapabilityInfo) error {
	for _, c := range info.GetCapabilities() {
		if _, ok := mesosv1.CapabilityInfo_Capability_name[int32(c)]; !ok || c == mesosv1.CapabilityInfo_UNKNOWN {
			return fmt.Errorf("there is no capability %v", c)
		}
	}
	return nil
}

// beyond returns the first capability of a set that is not in the other; "" if there is
// none. A bound of nil is none.
func beyond(set, bound *mesosv1.CapabilityInfo) string {
	if bound == nil {
		return ""
	}
	for _, c := range set.GetCapabilities() {
		if !slices.Contains(bound.GetCapabilities(), c) {
			return c.String()
		}
	}
	return ""
}

// both returns what is in the set and within the bound; nil is none.
func both(set, bound *mesosv1.CapabilityInfo) *mesosv1.CapabilityInfo {
	if bound == nil {
		return set
	}
	out := &mesosv1.CapabilityInfo{}
	for _, c := range set.GetCapabilities() {
		if slices.Contains(bound.GetCapabilities(), c) {
			out.Capabilities = append(out.Capabilities, c)
		}
	}
	return out
}

// text lists a set.
func text(info *mesosv1.CapabilityInfo) string {
	names := make([]string, len(info.GetCapabilities()))
	for i, c := range info.GetCapabilities() {
		names[i] = c.String()
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

package linuxcapabilities_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/linuxcapabilities"
	"github.com/mesos-modules/mms/roles/isolator"
)

func Example() {
	module := linuxcapabilities.Library.Modules[0].Declare()
	for _, p := range module.Parameters.Specs() {
		fmt.Println(module.Name, p.Key)
	}
	// Output:
	// org_apache_mesos_LinuxCapabilitiesIsolator effective_capabilities
	// org_apache_mesos_LinuxCapabilitiesIsolator bounding_capabilities
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, linuxcapabilities.Library, linuxcapabilities.Name, effective(`{"capabilities":["CHOWN"]}`))
}

func effective(text string) moduletest.Option {
	return moduletest.Parameter(linuxcapabilities.Name, "effective_capabilities", text)
}

func bounding(text string) moduletest.Option {
	return moduletest.Parameter(linuxcapabilities.Name, "bounding_capabilities", text)
}

const (
	chown  = mesosv1.CapabilityInfo_CHOWN
	kill   = mesosv1.CapabilityInfo_KILL
	netRaw = mesosv1.CapabilityInfo_NET_RAW
)

func set(all ...mesosv1.CapabilityInfo_Capability) *mesosv1.CapabilityInfo {
	return &mesosv1.CapabilityInfo{Capabilities: all}
}

func TestWhatAContainerHas(t *testing.T) {
	id := &mesosv1.ContainerID{Value: proto.String("one")}
	const two = `{"capabilities":["CHOWN","KILL"]}`
	for about, c := range map[string]struct {
		options             []moduletest.Option
		asks                *mesosv1.LinuxInfo
		kind                mesosv1.ContainerInfo_Type
		class               slave.ContainerClass
		effective, bounding *mesosv1.CapabilityInfo
		says                string
	}{
		"nobody says anything":                         {},
		"the operator's, where it asks for none":       {options: []moduletest.Option{effective(two)}, effective: set(chown, kill), bounding: set(chown, kill)},
		"what it asks for, in place of the operator's": {options: []moduletest.Option{effective(two)}, asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(netRaw)}, effective: set(netRaw), bounding: set(netRaw)},
		"none, if it asks for none":                    {asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set()}, effective: set(), bounding: set()},
		"what it asked for before there was a bound":   {asks: &mesosv1.LinuxInfo{CapabilityInfo: set(kill)}, effective: set(kill), bounding: set(kill)},
		"those of its user, within the operator's":     {options: []moduletest.Option{bounding(two)}, bounding: set(chown, kill)},
		"what it asks for, within the operator's":      {options: []moduletest.Option{bounding(two)}, asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(kill)}, effective: set(kill), bounding: set(chown, kill)},
		"a bound of its own, within the operator's":    {options: []moduletest.Option{bounding(two)}, asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(kill), BoundingCapabilities: set(kill)}, effective: set(kill), bounding: set(kill)},
		"the operator's, as far as its own bound goes": {options: []moduletest.Option{effective(two)}, asks: &mesosv1.LinuxInfo{BoundingCapabilities: set(kill)}, effective: set(kill), bounding: set(kill)},
		"its parent's, if it is of the class DEBUG":    {options: []moduletest.Option{effective(two)}, class: slave.ContainerClass_DEBUG},
		"its own, if it is and asks":                   {class: slave.ContainerClass_DEBUG, asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set()}, effective: set(), bounding: set()},
		"more than the operator allows is refused":     {options: []moduletest.Option{bounding(two)}, asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(netRaw)}, says: "asks for the capability NET_RAW, which is not among the bounding ones: CHOWN, KILL"},
		"a wider bound than the operator's is refused": {options: []moduletest.Option{bounding(two)}, asks: &mesosv1.LinuxInfo{BoundingCapabilities: set(kill, netRaw)}, says: "the bounding capability NET_RAW, and --bounding_capabilities allows only CHOWN, KILL"},
		"more than its own bound is refused":           {asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(netRaw), BoundingCapabilities: set()}, says: "not among the bounding ones: none"},
		"both spellings are refused":                   {asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(), CapabilityInfo: set()}, says: "one of them is enough"},
		"a capability without a name is refused":       {asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set(7)}, says: "there is no capability 7"},
		"the capability UNKNOWN is refused":            {asks: &mesosv1.LinuxInfo{BoundingCapabilities: set(mesosv1.CapabilityInfo_UNKNOWN)}, says: "there is no capability UNKNOWN"},
		"a container of Docker's that asks is refused": {kind: mesosv1.ContainerInfo_DOCKER, asks: &mesosv1.LinuxInfo{EffectiveCapabilities: set()}, says: "of the type MESOS, and this one is of the type DOCKER"},
	} {
		t.Run(about, func(t *testing.T) {
			i := moduletest.Load[isolator.Isolator](moduletest.New(t, linuxcapabilities.Library, c.options...), linuxcapabilities.Name)
			if c.kind == 0 {
				c.kind = mesosv1.ContainerInfo_MESOS
			}
			launch, err := i.Prepare(t.Context(), id, &slave.ContainerConfig{ContainerClass: &c.class,
				ContainerInfo: &mesosv1.ContainerInfo{Type: &c.kind, LinuxInfo: c.asks}})
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.True(t, proto.Equal(c.effective, launch.GetEffectiveCapabilities()), "%v", launch)
			assert.True(t, proto.Equal(c.bounding, launch.GetBoundingCapabilities()), "%v", launch)
		})
	}
}

func TestParameters(t *testing.T) {
	for about, c := range map[string]struct {
		options []moduletest.Option
		says    []string
	}{
		"no JSON, and a name that nobody knows, at once": {[]moduletest.Option{effective(`{`), bounding(`{"capabilities":["FLY"]}`)}, []string{"effective_capabilities: ", "bounding_capabilities: "}},
		"the capability UNKNOWN":                         {[]moduletest.Option{effective(`{"capabilities":["UNKNOWN"]}`)}, []string{"there is no capability UNKNOWN"}},
		"more than the bound":                            {[]moduletest.Option{effective(`{"capabilities":["CHOWN","KILL"]}`), bounding(`{"capabilities":["CHOWN"]}`)}, []string{"KILL is not among the bounding_capabilities"}},
	} {
		t.Run(about+" keep the module from starting", func(t *testing.T) {
			err := moduletest.New(t, linuxcapabilities.Library, c.options...).Start(linuxcapabilities.Name)
			for _, says := range c.says {
				assert.ErrorContains(t, err, says)
			}
		})
	}
}

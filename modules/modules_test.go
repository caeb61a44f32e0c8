package modules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules"
	"github.com/mesos-modules/mms/roles"
)

// apart are modules that are Go modules of their own, with what they need, and come as
// plugins.
var apart = []string{
	"org_apache_mesos_LuaAllocator",
	"org_apache_mesos_RuncContainerizer",
}

// A default that is misspelt would leave its site unbound without a word.
func TestEveryDefaultIsThere(t *testing.T) {
	for daemon, libraries := range map[roles.Daemon][]facade.Library{roles.Master: modules.Master(), roles.Slave: modules.Slave()} {
		roleOf := map[string]string{}
		for _, lib := range libraries {
			for _, m := range lib.Modules {
				d := m.Declare()
				assert.NotContains(t, roleOf, d.Name, "names are unique")
				roleOf[d.Name] = d.Role.Name()
			}
		}
		for _, role := range roles.Table() {
			for _, site := range role.Sites {
				if site.On&daemon == 0 {
					continue
				}
				var wanted []string
				for _, w := range site.Words {
					wanted = append(wanted, w.Modules...)
				}
				for _, always := range site.Always {
					wanted = append(wanted, always.Module)
				}
				if site.Default != "" {
					for word := range strings.SplitSeq(site.Default, ",") {
						wanted = append(wanted, site.Named(word)...)
					}
				}
				slices.Sort(wanted)
				for _, name := range slices.Compact(wanted) {
					if slices.Contains(apart, name) {
						continue
					}
					assert.Equal(t, role.Name, roleOf[name], "%v: --%s stands for %s", daemon, site.Flag, name)
				}
			}
		}
	}
}

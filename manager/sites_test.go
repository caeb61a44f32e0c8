package manager_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/roles"
)

// worded is the role table with words and a default at the calculators' site, which
// only some daemons have.
func worded(on roles.Daemon, standard string) []roles.Role {
	table := roles.Table()
	at := slices.IndexFunc(table, func(r roles.Role) bool { return r.Name == "Calculator" })
	table[at].Sites = []roles.Site{{On: on, Flag: "calculator", Takes: roles.List, Default: standard,
		Words: []roles.Word{
			{Name: "adding", Modules: []string{"org_example_a"}},
			{Name: "both", Modules: []string{"org_example_a", "org_example_b"}},
		}}}
	return table
}

func TestWordsOfASite(t *testing.T) {
	for _, c := range []struct {
		name     string
		on       roles.Daemon
		standard string
		flag     []string
		want     []string
	}{
		{"a word stands for its module", roles.Slave, "", []string{"adding"}, []string{"org_example_a"}},
		{"a word may stand for several", roles.Slave, "", []string{"both"}, []string{"org_example_a", "org_example_b"}},
		{"a module is bound once, where it is named first", roles.Slave, "", []string{"org_example_b", "both"}, []string{"org_example_b", "org_example_a"}},
		{"a module's own name stays", roles.Slave, "", []string{"org_example_b"}, []string{"org_example_b"}},
		{"the default is bound when there is no flag", roles.Slave, "adding,org_example_b", nil, []string{"org_example_a", "org_example_b"}},
		{"the flag wins over the default", roles.Slave, "adding", []string{"org_example_b"}, []string{"org_example_b"}},
		{"a default that the daemon is not built with leaves the site unbound", roles.Slave, "org_example_elsewhere", nil, nil},
		{"a word of the other daemon's site is left out", roles.Master, "", []string{"adding"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &testharness.Journal{}
			f := newManager(t, j, manager.Config{
				Daemon: roles.Slave, Roles: worded(c.on, c.standard), Bindings: calculators(c.flag...),
				Builtin: []facade.Library{testharness.Library(
					testharness.Calculator{Name: "org_example_a"}.In(j), testharness.Calculator{Name: "org_example_b"}.In(j))},
			})
			require.NoError(t, f.Start(t.Context()))
			if c.on == roles.Slave {
				assert.Equal(t, c.want, manager.BoundForTest(f.Manager, "calculator"), "in flag order")
			}
			for _, m := range f.Modules() {
				assert.Equal(t, slices.Contains(c.want, m.Declared.Name), m.Made, m.Declared.Name)
			}
		})
	}
}

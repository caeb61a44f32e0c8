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
func worded(on roles.Daemon, standard string, change ...func(*roles.Site)) []roles.Role {
	table := roles.Table()
	at := slices.IndexFunc(table, func(r roles.Role) bool { return r.Name == "Calculator" })
	table[at].Sites = []roles.Site{{On: on, Flag: "calculator", Takes: roles.List, Default: standard,
		Always: []roles.Standing{{Module: "org_example_always"}},
		Words: []roles.Word{
			{Name: "adding", Modules: []string{"org_example_a"}},
			{Name: "both", Modules: []string{"org_example_a", "org_example_b"}},
		}}}
	for _, c := range change {
		c(&table[at].Sites[0])
	}
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
		{"what is always there comes first", roles.Slave, "", []string{"org_example_b", "+always"}, []string{"org_example_always", "org_example_b"}},
		{"what is always there may be named elsewhere", roles.Slave, "", []string{"org_example_b", "org_example_always", "+always"}, []string{"org_example_b", "org_example_always"}},
		{"what is always there needs no flag", roles.Slave, "", []string{"+always"}, []string{"org_example_always"}},
		{"a word of the other daemon's site is left out", roles.Master, "", []string{"adding"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &testharness.Journal{}
			built := []facade.Declared{testharness.Calculator{Name: "org_example_a"}.In(j), testharness.Calculator{Name: "org_example_b"}.In(j)}
			flag := slices.DeleteFunc(slices.Clone(c.flag), func(name string) bool { return name == "+always" })
			if len(flag) < len(c.flag) {
				built = append(built, testharness.Calculator{Name: "org_example_always"}.In(j))
			}
			f := newManager(t, j, manager.Config{
				Daemon: roles.Slave, Roles: worded(c.on, c.standard), Bindings: calculators(flag...),
				Builtin: []facade.Library{testharness.Library(built...)},
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

func TestOrderAndStandingOfASite(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*roles.Site)
		flag   []string
		want   []string
	}{
		{"modules of words come first, in the order of the words", func(s *roles.Site) { s.Ordered = true },
			[]string{"org_example_other", "org_example_b", "adding"}, []string{"org_example_a", "org_example_b", "org_example_always", "org_example_other"}},
		{"what is always there is not, where another takes its place",
			func(s *roles.Site) { s.Always[0].Unless = []string{"org_example_b"} },
			[]string{"org_example_other", "org_example_b"}, []string{"org_example_other", "org_example_b"}},
		{"and is, where that one is not named", func(s *roles.Site) { s.Always[0].Unless = []string{"org_example_b"} },
			[]string{"org_example_other"}, []string{"org_example_always", "org_example_other"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &testharness.Journal{}
			var built []facade.Declared
			for _, name := range []string{"org_example_a", "org_example_b", "org_example_always", "org_example_other"} {
				built = append(built, testharness.Calculator{Name: name}.In(j))
			}
			f := newManager(t, j, manager.Config{
				Daemon: roles.Slave, Roles: worded(roles.Slave, "", c.change), Bindings: calculators(c.flag...),
				Builtin: []facade.Library{testharness.Library(built...)},
			})
			require.NoError(t, f.Start(t.Context()))
			assert.Equal(t, c.want, manager.BoundForTest(f.Manager, "calculator"))
		})
	}
}

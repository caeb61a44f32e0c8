package roles

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/semver"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

func TestTable(t *testing.T) {
	table := Table()
	strict := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	sites := map[string]string{} // daemon and flag -> role
	for i, r := range table {
		t.Run(r.Name, func(t *testing.T) {
			if i > 0 {
				assert.Less(t, table[i-1].Name, r.Name, "rows are sorted, names unique")
			}
			assert.Regexp(t, strict, r.Version)
			assert.LessOrEqual(t, semver.Compare("v"+r.Version, "v"+facade.MesosVersion), 0, "a role cannot ask for a release to come")
			assert.NotEmpty(t, r.Summary)
			if r.Type != nil {
				assert.Equal(t, r.Name, r.Type.Name(), "the interface is called like the role")
				assert.Equal(t, strings.ToLower(r.Name), r.Type.PkgPath()[strings.LastIndex(r.Type.PkgPath(), "/")+1:])
				assert.Positive(t, r.Type.NumMethod())
			}
			assert.False(t, r.Native && r.Type == nil, "a bridge is made from the interface")
			for _, s := range r.Sites {
				assert.NotZero(t, s.On)
				assert.Equal(t, r.On, r.On|s.On, "a site is where the role is")
				assert.Equal(t, s.Takes == All, s.Flag == "", "a flag selects modules, or the site takes all")
				for _, d := range []Daemon{Master, Slave} {
					if s.On&d == 0 || s.Flag == "" {
						continue
					}
					key := d.String() + " --" + s.Flag
					assert.Empty(t, sites[key], key)
					sites[key] = r.Name
				}
			}
		})
	}
}

func TestTheRolesOfUpstreamAreAllThere(t *testing.T) {
	for _, name := range []string{"Allocator", "Anonymous", "Authenticatee", "Authenticator", "Authorizer", "ContainerLogger",
		"DiskProfileAdaptor", "Hook", "HttpAuthenticatee", "HttpAuthenticator", "Isolator", "MasterContender", "MasterDetector",
		"QoSController", "ResourceEstimator", "SecretGenerator", "SecretResolver", "TestModule", "Containerizer", "Calculator"} {
		_, ok := ByName(name)
		assert.True(t, ok, name)
	}
}

func TestTheTableIsTheCallers(t *testing.T) {
	first := Table()
	first[0].Name = "changed"
	slices.Reverse(first)
	assert.Equal(t, "Allocator", Table()[0].Name)
}

func TestByName(t *testing.T) {
	r, ok := ByName("Calculator")
	require.True(t, ok)
	assert.True(t, r.Native)
	assert.Equal(t, "calculator.Calculator", r.Type.String())
	assert.Implements(t, (*calculator.Calculator)(nil), adder{})

	_, ok = ByName("calculator")
	assert.False(t, ok, "names are exact")
}

func TestWords(t *testing.T) {
	assert.Equal(t, "mesos-master", Master.String())
	assert.Equal(t, "mesos-slave", Slave.String())
	assert.Equal(t, "mesos-master and mesos-slave", Both.String())
	assert.Equal(t, "no daemon", Daemon(0).String())
	assert.Equal(t, []string{"one", "list", "each", "all", "unknown"},
		[]string{One.String(), List.String(), Each.String(), All.String(), Cardinality(0).String()})
}

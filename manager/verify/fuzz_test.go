package verify_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/verify"
)

// Whatever a library says of itself, verification comes back, says the same twice, and keeps to one line.
func FuzzCheck(f *testing.F) {
	f.Add("org_example_m", "Calculator", "1.0.0", "1.12.0", "", "1", "org_example_calculator", ">=1", "calculator", "key")
	f.Add("", "", "", "", "", "", "", "", "", "")
	f.Add("a\nb", "\x1b[2J", "1", "ThisIsNotAnAPIVersion!", "\xff", "1000", "org_example_m", ">=1 <<", "auth", "token")
	f.Fuzz(func(t *testing.T, name, role, version, mesos, min, mms, required, constraint, flag, key string) {
		make := func() verify.Input {
			in := master()
			m := module(name, role)
			m.Version = version
			m.Requires = []facade.Requirement{requires(required, constraint), {Role: required, Version: constraint, Optional: true}}
			m.Conflicts = []facade.Conflict{{Module: required, Version: constraint}}
			m.After = []string{required, role}
			m.HasSchema, m.Parameters = true, []facade.ParameterSpec{{Key: key, Type: role, Default: version}}
			l := library("/opt/fuzz.so", m)
			l.Description.MesosVersion, l.Description.MinMesos, l.Description.MMSVersion = mesos, min, mms
			l.Named[0].Parameters = parameters(key, version, name, mesos)
			add(&in, l)
			b := bind(flag, name)
			b.Refs[0].Constraint = constraint
			in.Bindings = append(in.Bindings, b)
			return in
		}
		result := verify.Check(make())
		require.Equal(t, result.Findings, verify.Check(make()).Findings)
		require.Equal(t, len(result.Findings) == 0, result.Plan != nil)
		for _, x := range result.Findings {
			assert.NotEmpty(t, x.Problem)
			assert.NotEmpty(t, x.Mend)
			assert.False(t, strings.ContainsFunc(x.Problem+x.Mend, unicode.IsControl), "%q %q", x.Problem, x.Mend)
		}
	})
}

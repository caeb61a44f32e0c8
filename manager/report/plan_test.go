package report_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/report"
)

func TestPlan(t *testing.T) {
	plan := report.PlanOf(planned().Plan)

	t.Run("text has the order, its levels, what is made, and the sites", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, plan.WriteText(&out, report.Style{}))
		assert.Equal(t, `mesos-slave 1.12.0: 4 modules in 2 levels, 3 made at start
LEVEL  #  MODULE                  ROLE        VERSION  MADE      REQUIRES
0      1  org_example_spare       TestModule  0.1.0    never     -
0      2  org_example_test        TestModule  -        at start  -
0      3  zero                    Calculator  1.12.0   at start  -
1      4  org_example_calculator  Calculator  1.2.0    at start  org_example_test, zero

3 binding sites
FLAG           ROLE        TAKES  MODULES
every module   Anonymous   all    -
--calculator   Calculator  list   org_example_calculator, zero
--test_module  TestModule  one    org_example_test (default)
`, out.String())
	})
	t.Run("text says what follows when a module is lost, if one can be", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, report.PlanOf(apart().Plan).WriteText(&out, report.Style{}))
		assert.Contains(t, out.String(), `
LEVEL  #  MODULE                  ROLE        VERSION  MADE        FAILURE                      REQUIRES
0      1  org_example_base        Calculator  1.2.0    at start    optional                     -
1      2  org_example_calculator  Calculator  1.2.0    at start    fallback: org_example_spare  org_example_base
0      3  org_example_spare       Calculator  1.2.0    on failure  -                            -
`)
	})
	t.Run("a drawing says it too", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, apart().Plan.Graph.WriteDOT(&out))
		assert.Contains(t, out.String(), `"org_example_calculator\n1.2.0\nCalculator\nprocess\non failure fallback: org_example_spare"`)
		assert.Contains(t, out.String(), `"org_example_spare\n1.2.0\nCalculator"`)
	})
	t.Run("JSON is the plan with its levels, and without secrets", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, plan.WriteJSON(&out))
		assert.NotContains(t, out.String(), "hush")
		var got struct {
			Daemon  string            `json:"daemon"`
			Modules []json.RawMessage `json:"modules"`
			Levels  [][]string        `json:"levels"`
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		assert.Equal(t, "mesos-slave", got.Daemon)
		assert.Len(t, got.Modules, 4)
		assert.Equal(t, [][]string{{"org_example_spare", "org_example_test", "zero"}, {"org_example_calculator"}}, got.Levels)
	})
}

func TestWriteTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.WriteTable(&out, report.Style{}, []string{"rule", "checks"}, [][]string{{"a", "line\nend"}, {"b", ""}}))
	assert.Equal(t, "RULE  CHECKS\na     line\\nend\nb     -\n", out.String())
}

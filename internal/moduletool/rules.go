package moduletool

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/report"
)

func (t *Tool) rules() *cobra.Command {
	return &cobra.Command{
		Use:   "rules [ID...]",
		Short: "Explain the rules that modules are verified by",
		Long: `rules explains what a daemon holds against modules before it makes any: what each
rule checks, why, and what mends it. The ids are stable; every finding carries one.`,
		Example: `  mesos-module rules
  mesos-module rules equal-version
  mesos-module rules --format=json`,
		ValidArgsFunction: cobra.FixedCompletions(ruleIDs(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := chosenRules(args)
			switch {
			case err != nil:
				return err
			case t.json():
				return writeJSON(t.Stdout, all)
			case len(args) == 0:
				return t.listRules(all)
			default:
				return t.explainRules(all)
			}
		},
	}
}

func ruleIDs() []string {
	var ids []string
	for _, x := range finding.Rules() {
		ids = append(ids, string(x.Rule))
	}
	return ids
}

func chosenRules(ids []string) ([]finding.Explanation, error) {
	if len(ids) == 0 {
		return finding.Rules(), nil
	}
	var all []finding.Explanation
	for _, id := range ids {
		x, ok := finding.Explain(finding.Rule(id))
		if !ok {
			return nil, misuse("there is no rule %q%s", id, didYouMean(id, ruleIDs()))
		}
		all = append(all, x)
	}
	return all, nil
}

func (t *Tool) listRules(all []finding.Explanation) error {
	var cells [][]string
	for _, x := range all {
		cells = append(cells, []string{string(x.Rule), x.Checks})
	}
	if err := report.WriteTable(t.Stdout, t.style(), []string{"rule", "checks"}, cells); err != nil {
		return err
	}
	_, err := fmt.Fprintln(t.Stdout, "\n\"mesos-module rules ID\" says why, and what mends it.")
	return err
}

func (t *Tool) explainRules(all []finding.Explanation) error {
	for i, x := range all {
		if i > 0 {
			if _, err := fmt.Fprintln(t.Stdout); err != nil {
				return err
			}
		}
		rows := []row{{"rule", string(x.Rule)}, {"checks", x.Checks}, {"because", x.Because}, {"mend", x.Mend}}
		if err := writeRows(t.Stdout, "", rows); err != nil {
			return err
		}
	}
	return nil
}

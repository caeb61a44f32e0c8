package docs

import (
	"fmt"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
)

// RulesPage is the text of docs/rules.md: one section for each rule, in the order
// in which rules are checked and reported.
func RulesPage() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from manager/finding. DO NOT EDIT; \"make generate\" writes it. -->\n\n" +
		"# Rules\n\n" +
		"Every module and library is held to these rules, in this order, before any module is made.\n" +
		"All findings come in one run. Each names its rule, the module and the library, the path that leads there, and what mends it.\n" +
		"The ids are stable. `mesos-module rules` prints the same on a terminal.\n\n" +
		"| rule | checks |\n| --- | --- |\n")
	for _, x := range finding.Rules() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", x.Rule, x.Rule, x.Checks)
	}
	for _, x := range finding.Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n*Why:* %s\n\n*What mends it:* %s\n", x.Rule, x.Checks, x.Because, x.Mend)
	}
	return b.String()
}

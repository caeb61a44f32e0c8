// Command rules writes docs/rules.md. It runs in internal/docs, as go generate has it.
package main

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/internal/docs"
)

func main() {
	if err := os.WriteFile("../../docs/rules.md", []byte(docs.RulesPage()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		os.Exit(1)
	}
}

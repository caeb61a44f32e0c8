// Command write writes the pages that are generated. It runs in internal/docs, as go
// generate has it.
package main

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/internal/docs"
)

func main() {
	if err := write("../.."); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	index, err := docs.ModulesPage(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(root+"/docs/modules/README.md", []byte(index), 0o644); err != nil {
		return err
	}
	return os.WriteFile(root+"/docs/rules.md", []byte(docs.RulesPage()), 0o644)
}

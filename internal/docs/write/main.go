// Command write writes the pages, and parts of pages, that are generated. It runs in
// internal/docs, as go generate has it.
package main

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/internal/docs"
)

func main() {
	if err := docs.Write("../.."); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

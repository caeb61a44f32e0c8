// Command role writes everything that follows from the Go interfaces of the roles.
//
//	go run github.com/mesos-modules/mms/internal/gen/role [-check]
//
// It reads roles.Table and the interfaces that its rows name, and writes, below the module's root:
//
//	roles/NAME/zz_generated.go                 Unimplemented, for authors in Go to embed
//	roles/fingerprints.txt                     what every role looked like when it was last generated
//	manager/handle/zz_*.go                     the handle of every role
//	manager/vehicle/process/bridge/zz_*.go     the bridge of every role to other processes, and what tests it
//	manager/vehicle/native/bridge/zz_*.go      the bridges to C of the roles with Native
//	facade/include/                            their headers: mesos/roles/ in C, *.hpp in C++, mesos/module/ forwarding
//
// The same sources give the same bytes. With -check nothing is written: the files that differ are named, and the exit status
// is 1. A role that changed incompatibly since its fingerprint was taken, and whose Version in the table was not raised, is an
// error in either case.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mesos-modules/mms/roles"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "role:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("role", flag.ContinueOnError)
	check := flags.Bool("check", false, "write nothing; fail if something would change")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("want no arguments, got %q", flags.Args())
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	files, err := generate(root, rowsOf(roles.Table()), nil)
	if err != nil {
		return err
	}
	changed, err := differing(root, files)
	if err != nil {
		return err
	}
	if *check {
		if len(changed) > 0 {
			return fmt.Errorf("not what the roles' interfaces give; run \"make generate\":\n\t%s", strings.Join(changed, "\n\t"))
		}
		return nil
	}
	for _, name := range changed {
		fmt.Fprintln(out, name)
	}
	return write(root, files, changed)
}

func moduleRoot() (string, error) {
	path, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(path))), nil
}

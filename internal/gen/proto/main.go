// Command proto writes the Go code of the API messages from their .proto files, without protoc.
//
//	go run github.com/mesos-modules/mms/internal/gen/proto ROOT [IMPORTS...]
//
// compiles every .proto file below ROOT, the folder their import paths start from, and writes NAME.pb.go beside each
// NAME.proto. What they import is also looked for below IMPORTS. The Go package of a file is what its go_package option says. Parser and plugin have the versions of
// go.mod, so the same sources give the same bytes on every machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "proto:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want the folder the import paths start from")
	}
	files, err := generate(ctx, args[0], args[1:]...)
	if err != nil {
		return err
	}
	return write(args[0], files)
}

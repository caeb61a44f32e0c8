package main

import (
	"fmt"
	"os"
)

var Library int

func init() {
	fmt.Fprintln(os.Stderr, "there is no licence file")
	os.Exit(4)
}

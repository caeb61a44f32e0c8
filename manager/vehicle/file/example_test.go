package file_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/manager/vehicle/file"
)

func ExampleLook() {
	dir, err := os.MkdirTemp("", "libraries")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	path := filepath.Join(dir, "libexample.so")
	if err := os.WriteFile(path, []byte("\x7fELF"), 0o644); err != nil {
		fmt.Println(err)
		return
	}

	f, err := file.Look(path, file.Options{})
	fmt.Println(filepath.Base(f.Path), f.Size, err)
	fmt.Println("still the same:", file.Same(f) == nil)

	_, err = file.Look(dir, file.Options{})
	fmt.Println("a folder is refused:", err != nil)
	// Output:
	// libexample.so 4 <nil>
	// still the same: true
	// a folder is refused: true
}

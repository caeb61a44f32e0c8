package files_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/internal/files"
)

func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "stdout"), []byte("hello\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	var f files.Files
	f.Attach("/sandbox", folder, nil)
	content, err := f.Read(context.Background(), nil, "/sandbox/stdout", 0, files.End)
	fmt.Printf("%q %d %v\n", content.Data, content.Size, err)
	_, err = f.Read(context.Background(), nil, "/sandbox/../../etc/passwd", 0, files.End)
	fmt.Println(err)
	// Output:
	// "hello\n" 6 <nil>
	// /sandbox/../../etc/passwd: the path leads out of the attached folder
}

package fetcher_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/fetcher"
)

func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	home, sandbox := filepath.Join(folder, "home"), filepath.Join(folder, "sandbox")
	for _, f := range []string{home, sandbox} {
		if err := os.Mkdir(f, 0o755); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := os.WriteFile(filepath.Join(home, "run.sh"), []byte("#!/bin/sh\n"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	f, err := fetcher.New(fetcher.Config{FrameworksHome: home})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	name, executable := "run.sh", true
	err = f.Fetch(context.Background(), fetcher.Request{Sandbox: sandbox, Command: &mesosv1.CommandInfo{
		Uris: []*mesosv1.CommandInfo_URI{{Value: &name, Executable: &executable}},
	}})
	info, statErr := os.Stat(filepath.Join(sandbox, "run.sh"))
	fmt.Println(err, statErr, info.Mode())
	// Output: <nil> <nil> -rwxr-xr-x
}

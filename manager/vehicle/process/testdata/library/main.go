// Command library is a library in an executable whose modules do what tests want to see.
// Some of it depends on the name it is started by.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/manager/vehicle/process/testdata/sample"
)

func main() {
	name := filepath.Base(os.Args[0])
	if len(os.Args) == 2 {
		before(name)
		lie(name)
	}
	serve.Main(sample.Library(name))
}

// before is what a bad or hostile program does instead of serving.
func before(name string) {
	switch name {
	case "leaves":
		os.Exit(0)
	case "fails":
		fmt.Fprintln(os.Stderr, "there is no licence")
		os.Exit(5)
	case "hangs":
		select {}
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "garbage":
		for {
			if _, err := syscall.Write(3, []byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
				select {}
			}
		}
	case "forks and leaves":
		stay := exec.Command("/bin/sleep", "1000")
		stay.ExtraFiles = []*os.File{os.NewFile(3, "control")}
		stay.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := stay.Start(); err != nil {
			panic(err)
		}
		fmt.Println("left", stay.Process.Pid)
		os.Exit(0)
	}
}

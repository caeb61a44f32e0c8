package spawn_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// victim is the first argument of a test binary that plays one of the parts.
const victim = "play-victim"

// parts are what a process can do to a daemon. Each returns an exit status.
var parts = map[string]func(args []string) int{
	"exit": func(args []string) int {
		status, _ := strconv.Atoi(args[0])
		return status
	},
	"say": func(args []string) int {
		fmt.Print(args[0])
		fmt.Fprint(os.Stderr, args[1])
		return 0
	},
	"panic": func([]string) int {
		go func() { panic("the roof is on fire") }()
		select {}
	},
	"wait": func([]string) int {
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		fmt.Println("ready")
		_ = unix.Pause() // until it is killed
		return 0
	},
	"die": func(args []string) int {
		n, _ := strconv.Atoi(args[0])
		_ = unix.Kill(os.Getpid(), unix.Signal(n))
		_ = unix.Pause() // until it is killed
		return 0
	},
	"show": show,
	"flood": func(args []string) int {
		n, _ := strconv.Atoi(args[0])
		line := []byte(strings.Repeat("flood ", 20) + "\n")
		w := bufio.NewWriterSize(os.Stdout, 256<<10)
		for written := 0; written < n; written += len(line) {
			_, _ = w.Write(line)
		}
		_ = w.Flush()
		return 0
	},
	"leave": leave, "daemon": beDaemon, "starve": starve, "poor": bePoor,
	"eat":   eat,
	"spin":  spin,
	"open":  openAll,
	"try":   try,
	"files": useFiles,
}

// show says what a process is and has.
func show([]string) int {
	fmt.Println("env", strings.Join(os.Environ(), "|"))
	fmt.Println("args", strings.Join(os.Args, " "))
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // it was opened here
		}
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		fmt.Println("fd", e.Name(), strings.TrimRight(to, "0123456789[]:"))
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		fmt.Print("status ", line)
	}
	pgid, _ := unix.Getpgid(0)
	fmt.Println("leader", pgid == os.Getpid())
	return 0
}

// leave leaves a process behind whose parent is gone, and says its number: marked or not,
// in a session of its own or in the group.
func leave(args []string) int {
	where, environment := args[0], args[1]
	generation := 0
	if len(args) > 2 {
		generation, _ = strconv.Atoi(args[2])
	}
	if generation == 2 {
		fmt.Println("left", os.Getpid())
		_ = os.Stdout.Close()
		_ = unix.Pause() // until it is killed
	}
	cmd := exec.Command("/proc/self/exe", victim, "leave", where, environment, strconv.Itoa(generation+1))
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: where == "session"}
	if environment == "clean" {
		cmd.Env = []string{"CLEAN=1"}
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if generation == 0 {
		_ = cmd.Wait()
		_ = unix.Pause() // until it is killed
	}
	return 0
}

// ctx is that of a part, which is killed when it is over.
var ctx = context.Background()

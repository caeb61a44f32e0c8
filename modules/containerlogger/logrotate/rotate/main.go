package rotate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxConfig is the length of the longest config, in bytes.
const maxConfig = 1 << 20

// Main is the program. It returns the exit status.
func Main() int {
	reports := &reporter{}
	defer reports.flush()
	if err := run(reports); err != nil {
		reports.fault(err)
		fmt.Fprintln(os.Stderr, "mesos-logrotate-logger:", err) // for who has started it by hand
		return 1
	}
	return 0
}

func run(reports *reporter) error {
	if err := syscall.SetNonblock(Reports, true); err != nil {
		return errors.New("the agent starts this for each container; it is nothing to run by hand")
	}
	syscall.CloseOnExec(Reports)
	// It ends with the container, and with nothing else but force: whoever ends it too
	// early breaks the container's output.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	var config Config
	if err := json.NewDecoder(io.LimitReader(os.Stdin, maxConfig)).Decode(&config); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	pipes, files, err := open(config, reports)
	if err != nil {
		return err
	}
	say(Ready)
	var all sync.WaitGroup
	errs := make([]error, len(pipes))
	for n := range pipes {
		all.Go(func() {
			errs[n] = await(pipes[n], config.Wait)
			if err := pump(pipes[n], files[n]); !errors.Is(err, io.EOF) {
				errs[n] = errors.Join(errs[n], err)
			}
			errs[n] = errors.Join(errs[n], files[n].close())
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// open opens the pipes as who the program was started by, and the files as the user.
func open(config Config, reports *reporter) (pipes []*os.File, files []*file, err error) {
	for _, s := range config.Streams {
		fd, err := unix.Open(s.Pipe, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("open the pipe %s: %w", s.Pipe, err)
		}
		pipes = append(pipes, os.NewFile(uintptr(fd), s.Pipe))
	}
	if err := become(config.User); err != nil {
		return nil, nil, err
	}
	for _, s := range config.Streams {
		f, err := openFile(s, reports)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
	}
	return pipes, files, nil
}

// become gives up whatever the agent is and the container's user is not: the files lie in
// a folder of his.
func become(u *User) error {
	if u == nil {
		return nil
	}
	if err := syscall.Setgroups(u.Groups); err != nil {
		return fmt.Errorf("take the groups of user %d: %w", u.UID, err)
	}
	if err := syscall.Setresgid(u.GID, u.GID, u.GID); err != nil {
		return fmt.Errorf("take the group %d: %w", u.GID, err)
	}
	if err := syscall.Setresuid(u.UID, u.UID, u.UID); err != nil {
		return fmt.Errorf("become user %d: %w", u.UID, err)
	}
	return nil
}

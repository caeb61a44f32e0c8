package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func measureMemory(ctx context.Context, b *bench) error {
	slave, err := b.shop.program(ctx, "mesos-slave", "../..", "./cmd/mesos-slave")
	if err != nil {
		return err
	}
	bare, err := b.shop.program(ctx, "bare", ".", "./bare")
	if err != nil {
		return err
	}
	ours := figure{name: "ours", unit: memory}
	theirs := figure{name: "an fx app that answers HTTP, nothing else", unit: memory}
	for range min(b.meter.rounds, 5) {
		for _, p := range []struct {
			figure  *figure
			program string
			args    []string
		}{{&ours, slave, []string{"--master=127.0.0.1:1"}}, {&theirs, bare, nil}} {
			bytes, err := b.residentOf(ctx, p.program, p.args...)
			if err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(p.program), err)
			}
			p.figure.values = append(p.figure.values, bytes)
		}
	}
	b.add(line{what: "resident memory of mesos-slave with its own modules only", ours: ours, theirs: theirs, target: "under 30 MB", limit: 30 << 20})
	return nil
}

// residentOf starts a daemon, waits until it answers, and reads how much memory it has. Flags are those of mesos-slave.
func (b *bench) residentOf(ctx context.Context, program string, args ...string) (bytes float64, err error) {
	dir, err := os.MkdirTemp(b.shop.dir, "state-")
	if err != nil {
		return 0, err
	}
	address := filepath.Join(dir, "address")
	output, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return 0, err
	}
	defer output.Close() //nolint:errcheck // read by people, after a failure
	args = append([]string{"--ip=127.0.0.1", "--port=0", "--address_file=" + address, "--work_dir=" + dir}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
		if err != nil {
			said, _ := os.ReadFile(output.Name())
			err = fmt.Errorf("%w; it said: %s", err, said)
		}
	}()
	if err := answered(ctx, address); err != nil {
		return 0, err
	}
	return resident(cmd.Process.Pid)
}

// answered waits until there is an address and somebody answers there.
func answered(ctx context.Context, file string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		content, err := os.ReadFile(file)
		if err == nil {
			return get(ctx, "http://"+strings.TrimSpace(string(content))+"/health")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the start: %w", errors.Join(ctx.Err(), err))
		}
	}
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // not read
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

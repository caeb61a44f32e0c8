package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// job is a run of mesos-execute.
type job struct {
	args   []string
	shows  []string // that have to stand in its output
	status int      // of its exit
}

// run runs the task and shows what it says.
func (j job) run(ctx context.Context, master string) error {
	args := append([]string{"--master=" + master}, j.args...)
	fmt.Printf("\n$ bin/mesos-execute '%s'\n", strings.Join(args, "' '"))
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "bin/mesos-execute", args...)
	cmd.Stdout = io.MultiWriter(os.Stdout, &said)
	cmd.Stderr = cmd.Stdout
	return j.judge(cmd.Run(), said.String())
}

// judge holds the end of the program and what it said against what they should be.
func (j job) judge(err error, said string) error {
	status := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		return err
	}
	fmt.Printf("(exit status %d)\n", status)
	if status != j.status {
		return fmt.Errorf("mesos-execute ends with status %d, want %d", status, j.status)
	}
	for _, text := range j.shows {
		if !strings.Contains(said, text) {
			return fmt.Errorf("mesos-execute does not show %q", text)
		}
	}
	return nil
}

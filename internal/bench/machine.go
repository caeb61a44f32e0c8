package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// load is the load average of the last minute, as the kernel tells it.
func load() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(content), " ")
	return first
}

// system is what the machine runs.
func system() string {
	content, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "unknown system"
	}
	return prettyName(string(content))
}

// prettyName reads PRETTY_NAME out of an os-release file.
func prettyName(content string) string {
	for line := range strings.Lines(content) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return "unknown system"
}

// resident reads the resident memory of a process, in bytes.
func resident(pid int) (float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return vmRSS(string(content))
}

// vmRSS reads the resident memory, in bytes, out of a process' status file.
func vmRSS(status string) (float64, error) {
	for s := bufio.NewScanner(strings.NewReader(status)); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) == 3 && fields[0] == "VmRSS:" && fields[2] == "kB" {
			kilobytes, err := strconv.ParseFloat(fields[1], 64)
			return kilobytes * 1024, err
		}
	}
	return 0, fmt.Errorf("the status file has no line VmRSS")
}

package metrics

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// System is what is known of the machine, under the names of Apache Mesos without
// their prefix system/. What the machine does not tell is left out.
func System() map[string]float64 {
	all := map[string]float64{"cpus_total": float64(runtime.NumCPU())}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		fields := strings.Fields(string(text))
		for i, name := range []string{"load_1min", "load_5min", "load_15min"} {
			if i < len(fields) {
				if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
					all[name] = v
				}
			}
		}
	}
	memory := map[string]string{"MemTotal:": "mem_total_bytes", "MemFree:": "mem_free_bytes"}
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return all
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || memory[fields[0]] == "" {
			continue
		}
		if kilobytes, err := strconv.ParseFloat(fields[1], 64); err == nil {
			all[memory[fields[0]]] = kilobytes * 1024
		}
	}
	return all
}

package master

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
)

// whitelistInterval is how often the file is read.
const whitelistInterval = 5 * time.Second

// watchWhitelist tells the allocator which hosts are in the file, whenever that
// changes. A file that cannot be read changes nothing.
func (m *Master) watchWhitelist() {
	ticker := time.NewTicker(whitelistInterval)
	defer ticker.Stop()
	var told []string
	for {
		hosts, err := readWhitelist(m.c.Whitelist)
		switch {
		case err != nil:
			m.c.Log.Error("the whitelist cannot be read", "error", err)
		case told == nil || !slices.Equal(hosts, told):
			told = hosts
			m.allocator.allow(&allocation.Whitelist{Hostnames: hosts})
		}
		select {
		case <-m.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// readWhitelist reads host names, one a line.
func readWhitelist(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	hosts := []string{}
	for line := range strings.Lines(string(text)) {
		if host := strings.TrimSpace(line); host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}

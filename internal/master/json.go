package master

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// fromJSON reads a flag's JSON into a message; one that was not given leaves it
// empty.
func fromJSON(name string, v *flags.Value[json.RawMessage], m proto.Message) error {
	if !v.Has() {
		return nil
	}
	if err := mesosjson.Unmarshal(v.Get(), m); err != nil {
		return fmt.Errorf("--%s: %w", name, err)
	}
	return nil
}

// disabledPaths are those of --firewall_rules.
func (f *flagSet) disabledPaths() ([]string, error) {
	if !f.firewall.Has() {
		return nil, nil
	}
	var rules struct {
		DisabledEndpoints struct {
			Paths []string `json:"paths"`
		} `json:"disabled_endpoints"`
	}
	if err := json.Unmarshal(f.firewall.Get(), &rules); err != nil {
		return nil, fmt.Errorf(`--firewall_rules: want {"disabled_endpoints": {"paths": [...]}}: %w`, err)
	}
	for _, path := range rules.DisabledEndpoints.Paths {
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("--firewall_rules: the path %q does not begin with a slash", path)
		}
	}
	return rules.DisabledEndpoints.Paths, nil
}

package master

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/apihttp"
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
	paths, err := apihttp.FirewallPaths(f.firewall.Get())
	if err != nil {
		return nil, fmt.Errorf("--firewall_rules: %w", err)
	}
	return paths, nil
}

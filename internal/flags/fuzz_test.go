package flags_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/flags"
)

// FuzzParse holds the parser to one property: what it listed after a good parse, given as a command line, is listed
// again. Durations are left out, as Mesos' notation rounds them; files too, as they are of this machine.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{"--port=1\n--no-hostname_lookup\nstray", "MESOS_CLUSTER=c"},
		{"--auth=m\n--authenticators=m", "MESOS_AUTH=x\nMESOS_auth=y"},
		{"--work_dir\n/tmp\n--\n--port", "MESOS_PORT"},
		{"--acls={\"a\": [1, \"\\u00e9\"]}\n--cache_size=1024kb\n--recovery_factor=1e3", ""},
		{"--modules={}\n--modules_dir=/m\n--secret=s", "MESOS_MODULES_DIR=x"},
		{"--=\n---\n--no-\n--no-no-port=\n-\n=", "MESOS_=\n=\nMESOS_PORT=5"},
		{"--max_agent_ping_timeouts=0\n--quorum=-1\n--slave_ping_timeout=10s", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, commandLine, environment string) {
		if strings.Contains(commandLine+environment, "file:") {
			return
		}
		args := strings.Split(commandLine, "\n")
		d := newDaemon()
		if _, err := d.Parse(args, strings.Split(environment, "\n")); err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		var again []string
		var values []flags.NameValue
		for _, v := range d.Values() {
			if v.Value != flags.Hidden && !strings.Contains(v.Name, "ping_timeout") {
				values = append(values, v)
				again = append(again, "--"+v.Name+"="+v.Value)
			}
		}
		e := newDaemon()
		_, err := e.Parse(again, nil)
		require.NoError(t, err)
		listed := e.Values()
		for _, v := range values {
			assert.Contains(t, listed, v)
		}
	})
}

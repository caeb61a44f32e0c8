package lua_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/lua"
	"github.com/mesos-modules/mms/roles/allocator"
)

// yard is a master with the module, in a bubble where time passes only by pass.
type yard struct {
	*testing.T
	kit    *moduletest.Kit
	a      allocator.Allocator
	script string // its path

	mu   sync.Mutex
	came []*allocation.Share // since the last look
	out  []*allocation.Share // and not given back
}

// tagged is a script that divides fairly, and says who it is.
func tagged(name string) string {
	return fmt.Sprintf(`function allocate(cluster)
  log(%q)
  for _, agent in ipairs(cluster.agents) do
    local candidates = cluster.candidates(agent)
    if candidates[1] then cluster.offer(agent, candidates[1]) end
  end
end
`, name)
}

// inYard runs a test in a bubble, with a script in place.
func inYard(t *testing.T, script string, do func(y *yard), options ...moduletest.Option) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		y := &yard{T: t, script: filepath.Join(dir, "allocate.lua")}
		require.NoError(t, os.WriteFile(y.script, []byte(script), 0o600))
		y.start(options...)
		do(y)
	})
}

func (y *yard) start(options ...moduletest.Option) {
	y.Helper()
	all := append([]moduletest.Option{
		moduletest.Parameter(lua.Name, "script", y.script),
	}, options...)
	y.kit = moduletest.New(y.T, lua.Library, all...)
	y.a = moduletest.Load[allocator.Allocator](y.kit, lua.Name)
	y.must(y.a.Initialize(y.Context(), &allocation.Options{AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Second))}}))
	life, end := context.WithCancel(context.Background())
	y.Cleanup(end)
	y.must(y.a.Offers(life, func(shares []*allocation.Share) {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.came, y.out = append(y.came, shares...), append(y.out, shares...)
	}))
}

func (y *yard) must(err error) {
	y.Helper()
	require.NoError(y, err)
	synctest.Wait()
}

// pass lets time pass: the file is looked at, and agents are offered, once in each second.
func (y *yard) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// settle is long enough for a change of the file to be seen, tried and in charge.
func (y *yard) settle() { y.pass(4 * time.Second) }

func (y *yard) framework(id, role string) {
	y.Helper()
	y.must(y.a.AddFramework(y.Context(), &mesosv1.FrameworkInfo{
		Id: &mesosv1.FrameworkID{Value: &id}, Roles: []string{role},
		Capabilities: []*mesosv1.FrameworkInfo_Capability{
			{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}, {Type: mesosv1.FrameworkInfo_Capability_REGION_AWARE.Enum()},
		},
	}, nil, true, nil, nil))
}

func (y *yard) agent(id, total string, change ...func(*mesosv1.AgentInfo)) {
	y.Helper()
	info := &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}, Hostname: proto.String(id + ".example")}
	for _, c := range change {
		c(info)
	}
	capabilities := []*mesosv1.AgentInfo_Capability{{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()}, {Type: mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE.Enum()}}
	y.must(y.a.AddSlave(y.Context(), info, capabilities, nil, parsed(y, total).Messages(), nil))
}

// offers are what came since the last look.
func (y *yard) offers() (all []string) {
	synctest.Wait()
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, s := range y.came {
		all = append(all, s.GetFrameworkId().GetValue()+" "+s.GetAgentId().GetValue())
	}
	y.came = nil
	return all
}

// giveBack gives all back, to be offered again.
func (y *yard) giveBack() {
	y.Helper()
	synctest.Wait()
	y.mu.Lock()
	out := y.out
	y.came, y.out = nil, nil
	y.mu.Unlock()
	for _, s := range out {
		y.must(y.a.RecoverResources(y.Context(), s.GetFrameworkId(), s.GetAgentId(), s.GetResources(), nil, false))
	}
}

func (y *yard) write(script string) {
	y.Helper()
	require.NoError(y, os.WriteFile(y.script, []byte(script), 0o600))
}

// rename puts a script into the place of the one that is there.
func (y *yard) rename(script string) {
	y.Helper()
	require.NoError(y, os.WriteFile(y.script+"~", []byte(script), 0o600))
	require.NoError(y, os.Rename(y.script+"~", y.script))
}

// said is the last thing that a script has logged.
func (y *yard) said() string {
	last := ""
	for _, line := range y.kit.Log() {
		if _, text, ok := strings.Cut(line, `msg="the script says"`); ok {
			_, last, _ = strings.Cut(text, "text=")
			last, _, _ = strings.Cut(last, " module=")
			last = strings.Trim(last, `"`)
		}
	}
	return last
}

// logged says whether a line of the log has all of these.
func (y *yard) logged(texts ...string) bool {
	return slices.ContainsFunc(y.kit.Log(), func(line string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	})
}

func (y *yard) metric(name string) float64 {
	y.Helper()
	v, ok := y.kit.Metric(lua.Name, name)
	require.True(y, ok, name)
	return v
}

// inCharge wants a script to be in charge, and to be asked in every run.
func (y *yard) inCharge(name string) {
	y.Helper()
	y.giveBack()
	y.pass(2 * time.Second)
	assert.Equal(y, name, y.said())
	assert.NotEmpty(y, y.offers(), "offers go on")
}

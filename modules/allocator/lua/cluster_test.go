package lua_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/lua"
)

func inBubble(t *testing.T, do func(*testing.T)) { synctest.Test(t, do) }

func frameworkNamed(id string) *mesosv1.FrameworkID { return &mesosv1.FrameworkID{Value: &id} }
func agentNamed(id string) *mesosv1.AgentID         { return &mesosv1.AgentID{Value: &id} }

// onceReal is a script that does something in a run with the agent a.
func onceReal(do string) string {
	return `function allocate(cluster)
  local agent = cluster.agents[1]
  if not agent or agent.id ~= "a" then return end
  local candidates = cluster.candidates(agent)
  ` + do + `
end
`
}

func TestWhatScriptsSee(t *testing.T) {
	for _, c := range []struct{ about, do, want string }{
		{"the agent", `log(agent.id .. " " .. agent.hostname .. " " .. agent.zone .. "/" .. agent.region)`, "a a.example z1/r1"},
		{"its resources", `log(agent.total.cpus .. " " .. agent.total.mem .. " " .. agent.total.ports .. " " .. tostring(agent.total.gpus))`, "4 1024 10 nil"},
		{"its attributes", `log(agent.attributes.rack .. " " .. agent.attributes.level + 1 .. " " .. agent.attributes.slots)`, "r7 3 [1-3]"},
		{"what it does not have", `log(tostring(agent.colour) .. tostring(agent.attributes.row))`, "nilnil"},
		{"what is free", `log(cluster.free(agent).cpus .. "")`, "4"},
		{"the cluster", `log(cluster.total.cpus .. " " .. #cluster.agents)`, "4 1"},
		{"candidates", `local s = "" for _, c in ipairs(candidates) do s = s .. c.framework .. " " .. c.role .. " " end log(s)`, "g batch/day f web "},
		{"where they stand", `local s = "" for _, n in ipairs(candidates[1].path) do s = s .. n.name .. " " .. n.share .. "/" .. n.weight .. " " .. n.offers .. " " end log(s)`,
			"batch 0/2 0 batch/day 0/1 0 g 0/1 0 "},
		{"nodes that two have in common", `log(tostring(candidates[1].path[1] == candidates[2].path[1]))`, "false"},
		{"candidates stay the same", `log(tostring(candidates[1] == cluster.candidates(agent)[1]))`, "true"},
		{"an offer", `local got = cluster.offer(agent, candidates[1], {cpus = 2, mem = 512})
			log(got.cpus .. " " .. got.mem .. " " .. tostring(got.ports) .. " " .. cluster.free(agent).cpus .. " " .. cluster.has(candidates[1]).mem .. " " ..
				candidates[1].path[1].share .. " " .. candidates[1].path[3].offers)`, "2 512 nil 2 512 0.5 1"},
		{"weighted shares", `cluster.offer(agent, candidates[1], {cpus = 4}) local n = candidates[1].path[1] log(n.share .. " " .. n.weighted_share)`, "1 0.5"},
		{"all of one resource", `local got = cluster.offer(agent, candidates[1], {ports = true, cpus = false}) log(got.ports .. tostring(got.cpus))`, "10nil"},
		{"an offer that may not be", `local got, why = cluster.offer(agent, candidates[2], {cpus = 5}) log(tostring(got) .. " " .. why)`,
			"nil a part of agent a for framework f in role web: 5 of cpus is asked for, and it may have 4"},
		{"roles", `local s = "" for _, r in ipairs(cluster.roles()) do s = s .. r.name .. " " .. tostring(r.limit.cpus) .. " " .. tostring(r.guarantee.cpus) .. " " end log(s)`,
			"batch nil nil batch/day nil nil web 4 1 "},
		{"what roles have", `cluster.offer(agent, candidates[1]) log(cluster.roles()[1].consumed.cpus .. "")`, "4"},
		{"chance", `local n = math.random(3) log(tostring(n >= 1 and n <= 3))`, "true"},
	} {
		t.Run(c.about, func(t *testing.T) {
			inYard(t, onceReal(c.do), func(y *yard) {
				role := "web"
				y.must(y.a.UpdateQuota(y.Context(), &quota.QuotaConfig{Role: &role, Limits: parsed(y, "cpus:4").Quantities().Message()}))
				y.must(y.a.UpdateWeights(y.Context(), []*mesosv1.WeightInfo{{Role: proto.String("batch"), Weight: proto.Float64(2)}}))
				y.framework("f", "web")
				y.framework("g", "batch/day")
				if c.about == "roles" {
					y.must(y.a.UpdateQuota(y.Context(), &quota.QuotaConfig{Role: &role, Limits: parsed(y, "cpus:4").Quantities().Message(),
						Guarantees: parsed(y, "cpus:1").Quantities().Message()}))
					y.must(y.a.SuppressOffers(y.Context(), frameworkNamed("f"), nil))
				}
				y.agent("a", "cpus:4;mem:1024;ports:[1-10]", func(info *mesosv1.AgentInfo) {
					text := func(name, v string) *mesosv1.Attribute {
						return &mesosv1.Attribute{Name: &name, Type: mesosv1.Value_TEXT.Enum(), Text: &mesosv1.Value_Text{Value: &v}}
					}
					info.Attributes = []*mesosv1.Attribute{text("rack", "r7"), text("rack", "r8"),
						{Name: proto.String("level"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(2)}},
						{Name: proto.String("slots"), Type: mesosv1.Value_RANGES.Enum(), Ranges: &mesosv1.Value_Ranges{
							Range: []*mesosv1.Value_Range{{Begin: proto.Uint64(1), End: proto.Uint64(3)}}}}}
					info.Domain = &mesosv1.DomainInfo{FaultDomain: &mesosv1.DomainInfo_FaultDomain{
						Region: &mesosv1.DomainInfo_FaultDomain_RegionInfo{Name: proto.String("r1")}, Zone: &mesosv1.DomainInfo_FaultDomain_ZoneInfo{Name: proto.String("z1")}}}
				})
				assert.Equal(y, c.want, y.said(), "%v", y.kit.Log())
				assert.Zero(y, y.metric("failures"))
			})
		})
	}
}

// TestWrongAnswers: nothing that the books forbid is offered, whatever a script says.
func TestWrongAnswers(t *testing.T) {
	t.Run("they are counted, told once, and nothing else happens", func(t *testing.T) {
		inYard(t, onceReal(`cluster.offer(agent, candidates[1]) cluster.offer(agent, candidates[1]) cluster.offer(agent, candidates[2])`), func(y *yard) {
			y.framework("f", "web")
			y.framework("g", "web")
			y.agent("a", "cpus:2")
			y.giveBack()
			y.pass(time.Second)
			assert.Len(y, y.offers(), 1)
			assert.InDelta(y, 4, y.metric("offers_refused"), 0)
			lines := slices.DeleteFunc(y.kit.Log(), func(line string) bool { return !strings.Contains(line, "offers that are refused") })
			require.Len(y, lines, 1)
			assert.Contains(y, lines[0], "nothing is left that it may have")
		})
	})
	t.Run("a framework that refused an agent is no candidate, and does not get it", func(t *testing.T) {
		inYard(t, `function allocate(cluster)
  for _, agent in ipairs(cluster.agents) do
    for _, c in ipairs(cluster.candidates(agent)) do cluster.offer(agent, c) end
  end
end`, func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			require.Equal(y, []string{"f a"}, y.offers())
			y.must(y.a.RecoverResources(y.Context(), frameworkNamed("f"), agentNamed("a"), parsed(y, "cpus:2").Allocate("web").Messages(),
				&mesosv1.Filters{RefuseSeconds: proto.Float64(100)}, false))
			y.pass(50 * time.Second)
			assert.Empty(y, y.offers())
			y.pass(60 * time.Second)
			assert.Equal(y, []string{"f a"}, y.offers())
		})
	})
	t.Run("quota holds", func(t *testing.T) {
		inYard(t, tagged("any"), func(y *yard) {
			role := "web"
			y.must(y.a.UpdateQuota(y.Context(), &quota.QuotaConfig{Role: &role, Limits: parsed(y, "cpus:3").Quantities().Message()}))
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			y.agent("b", "cpus:2")
			y.mu.Lock()
			defer y.mu.Unlock()
			sum := 0.0
			for _, s := range y.came {
				sum += s.GetResources()[0].GetScalar().GetValue()
			}
			assert.InDelta(y, 3, sum, 1e-9)
		})
	})
}

func TestLogsAreBounded(t *testing.T) {
	inYard(t, onceReal(`for i = 1, 1000 do log(string.rep("x", 5000)) end`), func(y *yard) {
		y.framework("f", "web")
		y.agent("a", "cpus:2")
		lines := slices.DeleteFunc(y.kit.Log(), func(line string) bool { return !strings.Contains(line, "the script says") })
		assert.Len(y, lines, 20)
		assert.Less(y, len(lines[0]), 700)
	})
}

func TestSameSeedSameOffers(t *testing.T) {
	script := `function allocate(cluster)
  for _, agent in ipairs(cluster.agents) do
    local candidates = cluster.candidates(agent)
    if #candidates > 0 then cluster.offer(agent, candidates[math.random(#candidates)]) end
  end
end`
	var all [3][]string
	for i, seed := range []string{"7", "7", "8"} {
		inYard(t, script, func(y *yard) {
			for f := range 5 {
				y.framework(fmt.Sprint("f", f), "web")
			}
			for a := range 20 {
				y.agent(fmt.Sprint("a", a), "cpus:2")
			}
			all[i] = y.offers()
		}, moduletest.Parameter(lua.Name, "seed", seed))
	}
	assert.Len(t, all[0], 20)
	assert.Equal(t, all[0], all[1])
	assert.NotEqual(t, all[0], all[2])
}

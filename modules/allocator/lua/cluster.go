package lua

import (
	"math"

	vmlua "github.com/yuin/gopher-lua"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
)

// cluster is a run as a script sees it: tables that show the books, and functions that ask
// them. What a script does to the tables changes nothing but the tables.
type cluster struct {
	run     hierarchical.Run
	divided []hierarchical.Agent // what the run is about
	session *vm.Session
	refuse  func(error) // is told of each offer that the books forbid

	agents     map[*vmlua.LTable]hierarchical.Agent
	candidates map[*vmlua.LTable]hierarchical.Member
	members    []*vmlua.LTable          // by the members' numbers
	nodes      map[string]*vmlua.LTable // of the standings; those of frameworks by role and id
	scratch    []hierarchical.Member
	made       int // offers
}

func newCluster(run hierarchical.Run, divided []hierarchical.Agent, s *vm.Session, refuse func(error)) *cluster {
	return &cluster{
		run: run, divided: divided, session: s, refuse: refuse,
		agents: map[*vmlua.LTable]hierarchical.Agent{}, candidates: map[*vmlua.LTable]hierarchical.Member{},
		nodes: map[string]*vmlua.LTable{},
	}
}

// table is what the script's function gets.
func (c *cluster) table() *vmlua.LTable {
	L := c.session.State
	lazily := L.CreateTable(0, 1)
	lazily.RawSetString("__index", L.NewFunction(c.describe))
	agents := L.CreateTable(len(c.divided), 0)
	for i, a := range c.divided {
		c.session.Take(agentBytes)
		t := L.CreateTable(0, 4)
		t.RawSetString("id", vmlua.LString(a.ID()))
		t.RawSetString("hostname", vmlua.LString(a.Info().GetHostname()))
		t.Metatable = lazily
		c.agents[t] = a
		agents.RawSetInt(i+1, t)
	}
	all := L.CreateTable(0, 8)
	all.RawSetString("agents", agents)
	all.RawSetString("total", c.quantities(c.run.Total()))
	for name, f := range map[string]vmlua.LGFunction{
		"candidates": c.ask, "offer": c.offer, "free": c.free, "has": c.has, "roles": c.roles,
	} {
		all.RawSetString(name, L.NewFunction(f))
	}
	return all
}

// What the tables take, in bytes, without texts that the books hold anyway.
const (
	agentBytes     = 1024
	candidateBytes = 1024
	nodeBytes      = 1024
	quantityBytes  = 320
	entryBytes     = 40
)

// describe makes the fields of an agent that most scripts do not look at.
func (c *cluster) describe(L *vmlua.LState) int {
	t := L.CheckTable(1)
	a, known := c.agents[t]
	key := L.CheckString(2)
	var v vmlua.LValue = vmlua.LNil
	if known {
		switch key {
		case "total":
			v = c.quantities(a.Total().Quantities())
		case "attributes":
			v = c.attributes(a.Info().GetAttributes())
		case "region":
			v = vmlua.LString(a.Info().GetDomain().GetFaultDomain().GetRegion().GetName())
		case "zone":
			v = vmlua.LString(a.Info().GetDomain().GetFaultDomain().GetZone().GetName())
		}
	}
	if v != vmlua.LNil {
		t.RawSetString(key, v)
	}
	L.Push(v)
	return 1
}

// attributes by name: the first of each, ranges and sets as Mesos writes them.
func (c *cluster) attributes(all []*mesosv1.Attribute) *vmlua.LTable {
	c.session.Take(quantityBytes * int64(1+len(all)))
	t := c.session.State.CreateTable(0, max(1, len(all)))
	for _, f := range resources.AttributeFields(all) {
		switch {
		case t.RawGetString(f.Name) != vmlua.LNil:
		case f.IsText:
			t.RawSetString(f.Name, vmlua.LString(f.Text))
		default:
			t.RawSetString(f.Name, vmlua.LNumber(f.Number))
		}
	}
	return t
}

// quantities by name, as numbers.
func (c *cluster) quantities(q resources.Quantities) *vmlua.LTable {
	c.session.Take(quantityBytes)
	t := c.session.State.CreateTable(0, 4)
	for name, amount := range q.All() {
		c.session.Take(quantityBytes)
		t.RawSetString(name, vmlua.LNumber(amount.Float()))
	}
	return t
}

// agent is an argument that is one of the agents.
func (c *cluster) agent(n int) hierarchical.Agent {
	t, _ := c.session.State.Get(n).(*vmlua.LTable)
	a, known := c.agents[t]
	if !known {
		c.session.State.ArgError(n, "one of cluster.agents is wanted")
	}
	return a
}

// candidate is an argument that is what candidates has returned.
func (c *cluster) candidate(n int) hierarchical.Member {
	t, _ := c.session.State.Get(n).(*vmlua.LTable)
	m, known := c.candidates[t]
	if !known {
		c.session.State.ArgError(n, "one of what cluster.candidates returns is wanted")
	}
	return m
}

// ask is cluster.candidates(agent).
func (c *cluster) ask(L *vmlua.LState) int {
	a := c.agent(1)
	c.scratch = c.run.Candidates(c.scratch[:0], a)
	c.session.Take(agentBytes + entryBytes*int64(len(c.scratch)))
	c.session.Work(int64(len(c.scratch)))
	t := L.CreateTable(len(c.scratch), 0)
	for i, m := range c.scratch {
		t.RawSetInt(i+1, c.member(m))
	}
	L.Push(t)
	return 1
}

// member is the table of a framework in a role: one in each run.
func (c *cluster) member(m hierarchical.Member) *vmlua.LTable {
	number := m.Number()
	if number >= len(c.members) {
		c.members = append(c.members, make([]*vmlua.LTable, number+1-len(c.members))...)
	}
	if t := c.members[number]; t != nil {
		return t
	}
	c.session.Take(candidateBytes)
	t := c.session.State.CreateTable(0, 4)
	t.RawSetString("framework", vmlua.LString(m.Framework()))
	t.RawSetString("role", vmlua.LString(m.Role()))
	t.RawSetString("path", c.path(m))
	c.members[number], c.candidates[t] = t, m
	return t
}

// path are the nodes from the top of the tree of the roles down to the framework.
func (c *cluster) path(m hierarchical.Member) *vmlua.LTable {
	nodes := c.update(m)
	c.session.Take(quantityBytes + entryBytes*int64(len(nodes)))
	path := c.session.State.CreateTable(len(nodes), 0)
	for i, node := range nodes {
		path.RawSetInt(i+1, node)
	}
	return path
}

// update brings the nodes of a path up to date, and makes those that are not there.
func (c *cluster) update(m hierarchical.Member) []*vmlua.LTable {
	standings := c.run.Standings(m)
	nodes := make([]*vmlua.LTable, len(standings))
	for i, s := range standings {
		key := s.Path
		if i == len(standings)-1 {
			key = m.Role() + "\x00" + key // frameworks are not among the roles
		}
		node := c.nodes[key]
		if node == nil {
			c.session.Take(nodeBytes + int64(len(key)))
			node = c.session.State.CreateTable(0, 5)
			node.RawSetString("name", vmlua.LString(s.Path))
			node.RawSetString("weight", vmlua.LNumber(s.Weight))
			c.nodes[key] = node
		}
		node.RawSetString("share", vmlua.LNumber(s.Share))
		node.RawSetString("weighted_share", vmlua.LNumber(s.Share/s.Weight))
		node.RawSetString("offers", vmlua.LNumber(s.Allocations))
		nodes[i] = node
	}
	return nodes
}

// offer is cluster.offer(agent, candidate, amounts).
func (c *cluster) offer(L *vmlua.LState) int {
	a, m := c.agent(1), c.candidate(2)
	what, err := c.run.Offer(a, m, c.part(3))
	if err != nil {
		c.refuse(err)
		text := err.Error()
		c.session.Take(int64(len(text)))
		L.Push(vmlua.LNil)
		L.Push(vmlua.LString(text))
		return 2
	}
	c.made++
	c.update(m)
	L.Push(c.quantities(what.Quantities()))
	return 1
}

// part is the optional argument that says how much.
func (c *cluster) part(n int) hierarchical.Part {
	if c.session.State.Get(n) == vmlua.LNil {
		return nil
	}
	part := hierarchical.Part{}
	c.session.State.CheckTable(n).ForEach(func(key, value vmlua.LValue) {
		name, ok := key.(vmlua.LString)
		if !ok {
			c.session.State.ArgError(n, "amounts by the names of resources are wanted")
		}
		switch v := value.(type) {
		case vmlua.LNumber:
			part[string(name)] = float64(v)
		case vmlua.LBool:
			if v {
				part[string(name)] = math.Inf(1)
			}
		default:
			c.session.State.ArgError(n, "an amount is a number, or true for all there is")
		}
	})
	return part
}

// free is cluster.free(agent).
func (c *cluster) free(L *vmlua.LState) int {
	L.Push(c.quantities(c.agent(1).Free().Quantities()))
	return 1
}

// has is cluster.has(candidate).
func (c *cluster) has(L *vmlua.LState) int {
	L.Push(c.quantities(c.candidate(1).Has()))
	return 1
}

// roles is cluster.roles().
func (c *cluster) roles(L *vmlua.LState) int {
	all := c.run.Roles()
	c.session.Take(agentBytes * int64(1+len(all)))
	t := L.CreateTable(len(all), 0)
	for i, r := range all {
		role := L.CreateTable(0, 4)
		role.RawSetString("name", vmlua.LString(r.Name()))
		role.RawSetString("consumed", c.quantities(r.Consumed()))
		role.RawSetString("guarantee", c.quantities(r.Guarantee()))
		limit := L.CreateTable(0, 4)
		for name, amount := range r.Limit().All() {
			limit.RawSetString(name, vmlua.LNumber(amount.Float()))
		}
		role.RawSetString("limit", limit)
		t.RawSetInt(i+1, role)
	}
	L.Push(t)
	return 1
}

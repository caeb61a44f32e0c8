// Package hierarchical is the Allocator that Mesos comes with: what is free is offered to
// the framework whose role has the smallest dominant share of the cluster, the roles
// being a tree; weights, reservations, quota, filters and constraints are obeyed.
//
// # How it works
//
// A call of the master's changes the books and returns. What is offered is decided in
// runs, on a goroutine of the module's own: one over all agents each allocation interval,
// and in between one over the agents that something happened to. Runs that were asked for
// while another was under way are one.
//
// A run goes through the agents in random order, twice. At first roles get what their
// guarantees are short of, and with it whatever else of the agent they may have, so that
// the offer is of use. Then each agent is offered to the roles, and to the frameworks in
// each, in the order of the sorters (package sorter): all that is left of it goes to the
// first framework that may have it and did not refuse it. Numbers that are not reserved
// are cut where a limit ends, or where guarantees elsewhere need what there is; nothing
// else is ever cut.
//
// The second of these is an [Algorithm], and another module can bring its own: [NewWith] makes
// an allocator with the same books that divides as the other one says.
//
// What a call returns after is in force: the sinks are called with the books locked, so no
// offer comes out that a call has ended before. A sink must not call the allocator.
//
// The behaviour is that of Apache Mesos 1.12 (src/master/allocator/mesos). What differs:
// all that agents use counts against quota at once, also while its framework is not back
// yet; and a filter that refuses the same as another, and no longer, is not kept.
package hierarchical

// Package master is the running master. Its heart is [core.Core], a state machine
// that one goroutine owns; around it stand what brings it events and carries out its
// effects: HTTP routes and streams, messages from and to agents, the registry, the
// allocator, the authorizer, the hooks, handshakes, election, timers.
//
// Nothing that a module, a disk or a peer does is waited for by that goroutine: each
// kind of effect has a queue and goroutines of its own, so that one that hangs delays
// its own answer only.
package master

// Package link carries calls between a daemon and the process of a library.
//
// Both sides are equal: each calls the other. What they have in common is one control
// socket, a pair that nobody else can reach (Pair); nothing listens. Over it each side
// hands the other the ends of socket pairs of its own: one for its calls and their
// answers, one for what is too large to travel among them.
//
// Calls go over containerd's ttrpc, one client for each direction and one server. The
// connections that ttrpc gets wait for a short time by asking again before they have
// the goroutine parked, since waking it costs more than the answer; and they look at
// every frame before ttrpc does, since the other side is not trusted: see conn.go and
// guard.go. docs/rationale.md says what was measured.
//
// The other side can end the link, and can say nothing; it cannot make this side panic,
// wait longer than a call's context, or keep more than Options allows.
package link

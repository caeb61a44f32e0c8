// Package link carries calls between a daemon and the process of a library.
//
// Both sides are equal: each calls the other. Calls go over containerd's ttrpc, one
// connection for each direction. Nothing listens: the connections are socket pairs
// whose ends are handed over a control socket that only the two processes have.
package link

import _ "github.com/containerd/ttrpc" // the carrier

// Package golib is what the vehicles that carry Go modules share: it describes a
// facade.Library, and serves one as an open library.
package golib

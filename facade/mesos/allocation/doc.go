// Package allocation holds what the master and its allocator tell each other. Apache Mesos has no messages for this, so
// none of these travels between daemons.
package allocation

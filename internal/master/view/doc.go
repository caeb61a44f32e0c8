// Package view shows what a master knows, from a [core.View]: the JSON of the legacy
// routes (/state and its like) and the operator API's reading calls. Keys, their order
// and the form of values are those of Apache Mesos 1.12, which tools depend on.
//
// The legacy documents are written while they are made: nothing is held but a buffer,
// whatever the size of the cluster. A view may be written while the master goes on,
// and by several goroutines at once.
package view

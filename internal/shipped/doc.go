// Package shipped tries the modules that ship inside running daemons: each bound by its
// flag, doing what it promises to a task of a real cluster.
package shipped

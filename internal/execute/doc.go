// Package execute is the program mesos-execute: it runs one command, one task or one task group on a cluster, shows what
// becomes of it and what it writes, and ends as it ended.
//
// It is a framework like any other and uses the public API alone: the master's scheduler API to get the task going, the
// agent's operator API to read the task's output from its sandbox.
package execute

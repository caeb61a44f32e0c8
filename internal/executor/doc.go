// Package executor is what the executors that come with Mesos have in common: what the agent tells them in their
// environment, and the books of what they owe it.
//
// It is linked into programs that are started once per task, so it imports little.
package executor

// Package command is the command executor: it runs the command of one task, and tells the agent what becomes of it.
//
// The agent starts it, as mesos-executor, for every task that has a command and no executor of its own. It speaks the
// v1 executor API, whatever MESOS_HTTP_COMMAND_EXECUTOR says, and ends as soon as the agent has acknowledged the last
// update: nothing is gained by staying, and a slave that runs a hundred short tasks a second would have a hundred
// executors waiting.
package command

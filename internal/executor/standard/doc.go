// Package standard is the default executor: it runs the tasks of groups, each in a container of its own below the
// executor's, and tells the agent what becomes of them.
//
// The agent makes the containers: the executor asks it to, over the same operator API that is there for everybody, and
// waits for their ends. So it survives restarts of the agent by asking again. It ends when no task is left and the agent
// has acknowledged all updates.
package standard

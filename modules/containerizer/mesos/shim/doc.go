// Package shim is the program that stands between an agent and one container: a small
// process that lives as long as the container does, and so longer than the agent may.
//
// It is started, and holds, before the container runs anything: it waits for the
// [Config] on its socket. Then it runs the commands that come before, and the
// container's own. Whatever in the container loses its parent becomes the shim's child,
// so nothing escapes; when the container's command ends, the shim writes down how,
// kills what is left and ends as the last process of the container. An agent that goes
// leaves it as it is, unless it was never told what to run: then it ends.
//
// A container with namespaces has its shim in them: the shim is the first process of its
// pid namespace, and the root of its mount namespace becomes the container's. A shim whose
// container enters the mount namespace of another one stays outside: the command alone
// enters. What the shim needs of the host once the root has changed, it has opened before:
// the file for the status, and a view of its processes.
//
// The agent and the shim talk over a unix socket in the container's runtime folder,
// which the shim inherits listening. Each connection carries frames (see [Write]). A
// connection that the shim has closed is a shim that has ended: no process id has to be
// trusted for that.
//
// One container is started for every task, so the package links little: no protobuf, no
// net, no os/user. It starts in about a millisecond.
package shim

// Package shim is the process that holds one container of the runc containerizer, and
// outlives the agent.
//
// The agent starts it in a mount namespace of its own, with the container's standard
// input, output and error, and a listening socket as the file after these. Over the first
// connection come a Create frame, which is answered, and later a Run frame; when that
// connection ends before Run, so does the shim. Frames are those of the Mesos
// containerizer's shim, with three more.
//
// The root file system is mounted in the shim's own namespace: nothing of it is seen on
// the host, and it is gone with the last process. The runtime makes the container's first
// process and leaves it; as the nearest subreaper the shim becomes its parent, and that of
// every orphan, so it has its status as wait gives it and knows when nobody is left.
package shim

// Package held is the agent's side of containers that are held by a process of their
// own each: it holds what a container runs until that is wanted, watches it, moves its
// input and output, and goes on when the agent ends.
//
// A container's things are in a folder of its own, containers/ID below the module's, a
// nested one's in containers/ID below its parent's:
//
//	config        the ContainerConfig it was launched with
//	launch_info   the ContainerLaunchInfo it was launched with
//	pid           the holder, as a decimal number
//	socket        where the holder listens
//	status        how the command ended, as wait gives it; the holder writes it
//	termination   how the container ended, of a nested one
//
// The folder is for the daemon's user alone: environments may hold secrets. What is said
// over the socket are the frames of the package shim.
package held

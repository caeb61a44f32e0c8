// Package runc is the containerizer runc: containers run by the OCI runtime of that name,
// in images from OCI layout folders.
//
// Everything is below the module's state folder:
//
//	images/ALGORITHM-DIGEST   unpacked images; see the package image
//	runtime/                  what the runtime knows of its containers
//	containers/ID/            a container; see the packages held and shim. It is the
//	                          runtime's bundle, and holds what the container writes into
//	                          its root file system
//
// Each container has a shim, a process that makes it, holds it, watches it and outlives
// the agent. Root file systems are mounted in the shim's mount namespace: the host has
// none of these mounts, and when a container is gone, whatever way, they are too.
package runc

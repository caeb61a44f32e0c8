// Package seccomp holds the system call filter of a container.
package seccomp

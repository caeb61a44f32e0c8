//go:build !amd64 && !arm64

package confine

// machine is one whose system calls nobody has looked at.
var machine struct {
	arch   uint32
	system []uint32
}

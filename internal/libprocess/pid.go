package libprocess

import (
	"fmt"
	"net/netip"
	"strings"
)

// PID is the address of a process in the sense of libprocess: one that receives
// messages under a name at an address of a program. slave(1)@10.0.0.1:5051 is one.
// The zero PID is nobody's. PIDs can be compared with == and are keys of maps.
type PID struct {
	Name string
	Addr netip.AddrPort
}

// ParsePID reads name@ip:port.
func ParsePID(text string) (PID, error) {
	name, addr, ok := strings.Cut(text, "@")
	if !ok || name == "" {
		return PID{}, fmt.Errorf("%q is no process id: want name@ip:port", text)
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return PID{}, fmt.Errorf("%q is no process id: want name@ip:port: %w", text, err)
	}
	return PID{Name: name, Addr: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}, nil
}

// String writes the PID as ParsePID reads it. Nobody's is @0.0.0.0:0, as in Mesos.
func (p PID) String() string {
	if !p.Addr.IsValid() {
		return p.Name + "@0.0.0.0:0"
	}
	return p.Name + "@" + p.Addr.String()
}

// IsZero reports whether the PID is nobody's.
func (p PID) IsZero() bool { return p == PID{} }

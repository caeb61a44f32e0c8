package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports that the system gives to clients begin at 32768. A daemon that is to come back
// at its port must not have one of these: while it is gone, any client may get it.
const (
	minPort = 20000
	maxPort = 32000
)

// freeAddress returns an address of this host where nobody listens.
func freeAddress() (string, error) {
	var err error
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(minPort+rand.N(maxPort-minPort)))
		var listener net.Listener
		if listener, err = net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", fmt.Errorf("no port is free between %d and %d: %w", minPort, maxPort, err)
}

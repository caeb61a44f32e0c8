// Package handshake holds what authentication modules make of the handshake between agent and master. The daemons put
// it into the messages of Apache Mesos.
package handshake

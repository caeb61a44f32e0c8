// Package standalone is the detector of a cluster with one master: a master finds
// itself, an agent the address that its flag names.
package standalone

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_StandaloneMasterDetector"

// parameters. The agent sets the master's address from its flag --master.
type parameters struct {
	Master string `mms:"master" doc:"address of the master: host:port or master@host:port; needed on an agent"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[masterdetector.MasterDetector]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Knows the one master of a cluster.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (masterdetector.MasterDetector, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return &detector{master: c.Master}, nil
		},
	},
}}

type detector struct {
	masterdetector.Unimplemented

	master string
}

// Detect tells the leader once: it does not change.
func (d *detector) Detect(ctx context.Context, self *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	leader := self
	if self == nil {
		var err error
		if leader, err = at(ctx, d.master); err != nil {
			return err
		}
	}
	sink(&leadership.Leadership{Leader: leader})
	return nil
}

// DefaultPort is that of masters.
const DefaultPort = 5050

// at is what can be said of a master by its address alone.
func at(ctx context.Context, address string) (*mesosv1.MasterInfo, error) {
	text := strings.TrimPrefix(address, "master@")
	if text == "" {
		return nil, fmt.Errorf("parameter master is empty: want the address of the master, host:port")
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, strconv.Itoa(DefaultPort)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" {
		return nil, fmt.Errorf("master %q: want host:port or master@host:port", address)
	}
	ip, err := lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("master %q: %w", address, err)
	}
	full := netip.AddrPortFrom(ip, uint16(number))
	return &mesosv1.MasterInfo{
		Id:       proto.String(full.String()), // nobody knows its id yet
		Ip:       proto.Uint32(numberOf(ip)),
		Port:     proto.Uint32(uint32(number)),
		Pid:      proto.String("master@" + full.String()),
		Hostname: proto.String(host),
		Address:  &mesosv1.Address{Hostname: proto.String(host), Ip: proto.String(ip.String()), Port: proto.Int32(int32(number))},
	}, nil
}

// lookup prefers IPv4: the masters of Mesos have no other address.
func lookup(ctx context.Context, host string) (netip.Addr, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() {
			return ip, nil
		}
	}
	return ips[0], nil
}

// numberOf is an IPv4 address as MasterInfo has it: its four bytes in the order of
// the network, read as a number of a little-endian machine.
func numberOf(ip netip.Addr) uint32 {
	if !ip.Is4() {
		return 0
	}
	b := ip.As4()
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

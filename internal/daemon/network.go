package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mesos-modules/mms/internal/flags"
)

// network are the flags that say where the daemon is, besides --ip and --port.
type network struct {
	advertiseIP, ipCommand *flags.Value[string]
	advertisePort          *flags.Value[uint16]
	lookup                 *flags.Value[bool]
}

func (n *network) declare(set *flags.Set, g *flags.Group) {
	n.advertiseIP = g.String("advertise_ip", "IP address that others are told, where it is another than the one the daemon listens on.", flags.Check(isIP))
	n.advertisePort = g.Port("advertise_port", "Port that others are told.")
	n.ipCommand = g.String("ip_discovery_command", "Command, run by a shell, that prints the IP address to listen on.")
	n.lookup = g.Bool("hostname_lookup", "Ask for the name of the IP address where --hostname gives none; else the address is the name.", flags.Default("true"))
	set.Exclude("ip", "ip_discovery_command", "")
}

func isIP(text string) error {
	if _, err := netip.ParseAddr(text); err != nil {
		return errors.New("want an IP address")
	}
	return nil
}

// Limits of what the host is asked.
const (
	commandLimit = time.Minute
	lookupLimit  = 2 * time.Second
)

// listenOn is the address that the flags ask for.
func (f *flagSet) listenOn(ctx context.Context) (string, error) {
	host := f.ip.Get()
	if f.network.ipCommand.Has() {
		ctx, cancel := context.WithTimeout(ctx, commandLimit)
		defer cancel()
		out, err := exec.CommandContext(ctx, "/bin/sh", "-c", f.network.ipCommand.Get()).Output()
		if err != nil {
			return "", fmt.Errorf("run --ip_discovery_command: %w", err)
		}
		host = string(bytes.TrimSpace(out))
		if isIP(host) != nil {
			return "", fmt.Errorf("--ip_discovery_command printed %q: want an IP address", host)
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(int(f.port.Get()))), nil
}

// location is where the daemon is.
type location struct {
	bound, advertised netip.AddrPort
	hostname          string
}

// locate finds out what others are told. A daemon that listens on all addresses
// tells the one that its host's name stands for.
func (f *flagSet) locate(ctx context.Context, listening net.Addr) (location, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	bound, err := netip.ParseAddrPort(listening.String())
	if err != nil {
		return location{}, fmt.Errorf("the daemon listens at %v: %w", listening, err)
	}
	bound = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	ip, port := bound.Addr(), bound.Port()
	switch {
	case f.network.advertiseIP.Has():
		ip = netip.MustParseAddr(f.network.advertiseIP.Get()) // the flag takes nothing else
	case ip.IsUnspecified():
		ip = ownAddress(ctx)
	}
	if f.network.advertisePort.Has() {
		port = f.network.advertisePort.Get()
	}
	at := location{bound: bound, advertised: netip.AddrPortFrom(ip, port), hostname: f.hostname.Get()}
	if at.hostname == "" {
		at.hostname = ip.String()
		if f.network.lookup.Get() {
			at.hostname = nameOf(ctx, ip)
		}
	}
	return at, nil
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// ownAddress is what this host's name stands for, or else an address of its
// interfaces; version 4 if there is one, as that fits into MasterInfo.ip.
func ownAddress(ctx context.Context) netip.Addr {
	var candidates []netip.Addr
	if name, err := os.Hostname(); err == nil {
		found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip4", name) // no answer is no address
		candidates = append(candidates, found...)
	}
	if all, err := net.InterfaceAddrs(); err == nil {
		for _, a := range all {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				candidates = append(candidates, p.Addr())
			}
		}
	}
	for _, a := range candidates {
		if a = a.Unmap(); a.Is4() && !a.IsLoopback() {
			return a
		}
	}
	return loopback
}

// nameOf asks for the name of an address. Where nobody knows one, the address is it.
func nameOf(ctx context.Context, ip netip.Addr) string {
	names, err := net.DefaultResolver.LookupAddr(ctx, ip.String())
	if err != nil || len(names) == 0 {
		return ip.String()
	}
	return strings.TrimSuffix(names[0], ".")
}

// logFile is the file that shows what the daemon logs, if there is one.
func (f *flagSet) logFile(o Options) string {
	switch {
	case f.externalLogFile.Has():
		return f.externalLogFile.Get()
	case f.logDir.Has():
		return logIn(f.logDir.Get(), o)
	default:
		return ""
	}
}

func logIn(dir string, o Options) string { return filepath.Join(dir, o.Daemon.String()+".log") }

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"sync"

	"github.com/containerd/ttrpc"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// carrier is a way to have bytes echoed by another process: this binary, started again.
type carrier struct {
	name  string
	start func(ctx context.Context) (echoer, error)
	serve func() error // what the other process does
}

type echoer struct {
	echo  func([]byte) ([]byte, error)
	close func() error
}

const carrierArgument = "bench-carrier"

// Names of carriers that targets are about.
const (
	goPlugin = "go-plugin, gRPC"
	ping     = "unix socket ping-pong"
)

// carriers are what a call of a module is measured against; the first is what carries it.
func carriers() []carrier {
	return []carrier{
		{"the link alone", startLink, serveLink},
		{goPlugin, startPlugin(goPlugin, plugin.ProtocolGRPC), servePlugin(plugin.DefaultGRPCServer)},
		{"go-plugin, net/rpc", startPlugin("go-plugin, net/rpc", plugin.ProtocolNetRPC), servePlugin(nil)},
		{"ttrpc alone", startTTRPC, serveTTRPC},
		{ping, startPing, servePing},
	}
}

// carrierMain reports whether this process was started to echo.
func carrierMain(args []string) bool {
	if len(args) != 3 || args[1] != carrierArgument {
		return false
	}
	for _, c := range carriers() {
		if c.name == args[2] {
			if err := c.serve(); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", c.name+":", err)
				os.Exit(1)
			}
		}
	}
	return true
}

func again(name string) *exec.Cmd { return exec.Command("/proc/self/exe", carrierArgument, name) }

// startWith starts the other process with one end of a pair as descriptor 3.
func startWith(name string, theirs *os.File) (func() error, error) {
	cmd := again(name)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{theirs}, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	return cmd.Wait, theirs.Close()
}

type echoHandler struct{}

func (echoHandler) Handle(_ context.Context, _ uint64, _ string, args []byte) []byte { return args }

func startLink(ctx context.Context) (echoer, error) {
	ours, theirs, err := link.Pair()
	if err != nil {
		return echoer{}, err
	}
	wait, err := startWith("the link alone", theirs)
	if err != nil {
		return echoer{}, errors.Join(err, ours.Close())
	}
	l, err := link.New(ours, echoHandler{}, link.Options{})
	if err != nil {
		return echoer{}, errors.Join(err, wait())
	}
	return echoer{
		echo: func(b []byte) ([]byte, error) {
			answer, err := l.Call(ctx, 1, "Echo", append(link.Buffer(len(b)), b...))
			link.Recycle(answer) // only its length is looked at
			return answer, err
		},
		close: func() error { return errors.Join(l.Close(), wait()) },
	}, nil
}

func serveLink() error {
	l, err := link.New(os.NewFile(3, "control"), echoHandler{}, link.Options{})
	if err != nil {
		return err
	}
	<-l.Done()
	return nil
}

// streams makes a pair of stream sockets: a connection for this process, a file for the other.
func streams() (net.Conn, *os.File, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: "", Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close() //nolint:errcheck // nothing was written to it
	ours, err := net.DialUnix("unix", nil, listener.Addr().(*net.UnixAddr))
	if err != nil {
		return nil, nil, err
	}
	accepted, err := listener.AcceptUnix()
	if err != nil {
		return nil, nil, errors.Join(err, ours.Close())
	}
	theirs, err := accepted.File()
	return ours, theirs, errors.Join(err, accepted.Close())
}

func third() (net.Conn, error) { return net.FileConn(os.NewFile(3, "echo")) }

func startPing(context.Context) (echoer, error) {
	ours, theirs, err := streams()
	if err != nil {
		return echoer{}, err
	}
	wait, err := startWith(ping, theirs)
	if err != nil {
		return echoer{}, errors.Join(err, ours.Close())
	}
	buffer := make([]byte, 4, 2<<20)
	return echoer{
		echo: func(b []byte) ([]byte, error) {
			buffer = append(binary.BigEndian.AppendUint32(buffer[:0], uint32(len(b))), b...)
			if _, err := ours.Write(buffer); err != nil {
				return nil, err
			}
			_, err := io.ReadFull(ours, buffer)
			return buffer[4:], err
		},
		close: func() error { return errors.Join(ours.Close(), wait()) },
	}, nil
}

func servePing() error {
	c, err := third()
	if err != nil {
		return err
	}
	buffer := make([]byte, 2<<20)
	for {
		if _, err := io.ReadFull(c, buffer[:4]); err != nil {
			return nil // the end
		}
		n := 4 + binary.BigEndian.Uint32(buffer)
		if _, err := io.ReadFull(c, buffer[4:n]); err != nil {
			return err
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return err
		}
	}
}

func startTTRPC(ctx context.Context) (echoer, error) {
	ours, theirs, err := streams()
	if err != nil {
		return echoer{}, err
	}
	wait, err := startWith("ttrpc alone", theirs)
	if err != nil {
		return echoer{}, errors.Join(err, ours.Close())
	}
	client := ttrpc.NewClient(ours)
	return echoer{
		echo: func(b []byte) ([]byte, error) {
			var out wrapperspb.BytesValue
			err := client.Call(ctx, "bench", "Echo", wrapperspb.Bytes(b), &out)
			return out.Value, err
		},
		close: func() error { return errors.Join(client.Close(), wait()) },
	}, nil
}

func serveTTRPC() error {
	c, err := third()
	if err != nil {
		return err
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.RegisterService("bench", &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		"Echo": func(_ context.Context, unmarshal func(any) error) (any, error) {
			var v wrapperspb.BytesValue
			return &v, unmarshal(&v)
		},
	}})
	watched := &watchedConn{Conn: c, closed: make(chan struct{})}
	_ = server.Serve(context.Background(), &listener{conn: watched}) // it ends when there is no second connection
	<-watched.closed
	return nil
}

// watchedConn tells when its user has closed it.
type watchedConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *watchedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// listener has one connection.
type listener struct{ conn net.Conn }

func (l *listener) Accept() (net.Conn, error) {
	c := l.conn
	if c == nil {
		return nil, io.EOF
	}
	l.conn = nil
	return c, nil
}

func (l *listener) Close() error   { return nil }
func (l *listener) Addr() net.Addr { return &net.UnixAddr{} }

// go-plugin, as its documentation shows it.

func handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "MMS_BENCH", MagicCookieValue: "echo"}
}

type echoPlugin struct{}

func plugins() plugin.PluginSet { return plugin.PluginSet{"echo": echoPlugin{}} }

func (echoPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "bench", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Echo",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var v wrapperspb.BytesValue
			return &v, decode(&v)
		},
	}}}, struct{}{})
	return nil
}

func (echoPlugin) GRPCClient(ctx context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return func(b []byte) ([]byte, error) {
		var out wrapperspb.BytesValue
		err := c.Invoke(ctx, "/bench/Echo", wrapperspb.Bytes(b), &out)
		return out.Value, err
	}, nil
}

// Echoer is what net/rpc calls.
type Echoer struct{}

// Echo gives back what it gets.
func (Echoer) Echo(in []byte, out *[]byte) error {
	*out = in
	return nil
}

func (echoPlugin) Server(*plugin.MuxBroker) (any, error) { return Echoer{}, nil }

func (echoPlugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return func(b []byte) ([]byte, error) {
		var out []byte
		err := c.Call("Plugin.Echo", b, &out)
		return out, err
	}, nil
}

func startPlugin(name string, protocol plugin.Protocol) func(context.Context) (echoer, error) {
	return func(context.Context) (echoer, error) {
		client := plugin.NewClient(&plugin.ClientConfig{HandshakeConfig: handshake(), Plugins: plugins(), Cmd: again(name),
			AllowedProtocols: []plugin.Protocol{protocol}, Logger: hclog.NewNullLogger()})
		connection, err := client.Client()
		if err != nil {
			return echoer{}, err
		}
		made, err := connection.Dispense("echo")
		if err != nil {
			client.Kill()
			return echoer{}, err
		}
		return echoer{echo: made.(func([]byte) ([]byte, error)), close: func() error { client.Kill(); return nil }}, nil
	}
}

func servePlugin(server func([]grpc.ServerOption) *grpc.Server) func() error {
	return func() error {
		plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake(), Plugins: plugins(), GRPCServer: server, Logger: hclog.NewNullLogger()})
		return nil
	}
}

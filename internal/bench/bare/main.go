// Command bare is an fx app that answers HTTP and does nothing else: the floor under the memory of a daemon.
package main

import (
	"context"
	"flag"
	"net"
	"net/http"
	"os"

	"go.uber.org/fx"
)

func main() {
	ip := flag.String("ip", "127.0.0.1", "to listen on")
	port := flag.String("port", "0", "to listen on")
	file := flag.String("address_file", "", "where to write the address")
	flag.String("work_dir", "", "not used")
	flag.Parse()
	fx.New(fx.NopLogger, fx.Invoke(func(lc fx.Lifecycle) {
		server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				listener, err := net.Listen("tcp", net.JoinHostPort(*ip, *port))
				if err != nil {
					return err
				}
				go func() { _ = server.Serve(listener) }() // returns when it is shut down
				return announce(*file, listener.Addr().String())
			},
			OnStop: server.Shutdown,
		})
	})).Run()
}

// announce writes the address in one piece: who sees the file sees all of it.
func announce(path, address string) error {
	if err := os.WriteFile(path+".new", []byte(address+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

package checks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Probe makes one attempt and returns what it found: the exit code of a command, the status code of an answer, 0 of a
// connection. An error says that the attempt failed. It returns when ctx ends.
type Probe func(ctx context.Context) (int, error)

// Probes makes the probes that this package does not have.
type Probes struct {
	// Command makes the probe that runs a command where the task runs.
	Command func(*mesosv1.CommandInfo) Probe
}

// maxRedirects is how many redirects a probe follows.
const maxRedirects = 50

// loopback is the host that is probed: the task shares the network of who probes.
func loopback(protocol mesosv1.NetworkInfo_Protocol) string {
	if protocol == mesosv1.NetworkInfo_IPv6 {
		return "::1"
	}
	return "127.0.0.1"
}

func address(protocol mesosv1.NetworkInfo_Protocol, port uint32) string {
	return net.JoinHostPort(loopback(protocol), strconv.FormatUint(uint64(port), 10))
}

// connect probes a TCP port.
func connect(address string) Probe {
	return func(ctx context.Context) (int, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return 0, err
		}
		return 0, connection.Close()
	}
}

// get probes a URL. Redirects are followed; certificates are not verified, since 127.0.0.1 is nobody's name. Nothing of
// the answer's body is read.
func get(url string) Probe {
	return func(ctx context.Context) (int, error) {
		transport := &http.Transport{
			DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as the contract says
		}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return nil
		}}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, err
		}
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
}

var errTimeout = errors.New("it took more")

// within bounds a probe; no limit is none.
func within(limit time.Duration, probe Probe) Probe {
	if limit <= 0 {
		return probe
	}
	return func(ctx context.Context) (int, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w than %v", errTimeout, limit))
		defer cancel()
		code, err := probe(ctx)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
		return code, err
	}
}

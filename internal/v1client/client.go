package v1client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// DefaultLimit bounds an answer, and a record of a stream, where no other bound is given: the state of a large cluster
// comes in one.
const DefaultLimit = 256 << 20

// maxRedirects is how many servers in turn may name another one.
const maxRedirects = 5

// maxErrorText is how much of an error's body is read.
const maxErrorText = 4096

// Config describes a client. Only Endpoint has to be set.
type Config struct {
	// Endpoint is where calls go: http://10.0.0.1:5050/api/v1/scheduler.
	Endpoint string

	// Socket is the path of a Unix domain socket to reach Endpoint by; empty dials the endpoint's host.
	Socket string

	Encoding Encoding

	// Authenticate adds to a request what proves who sends it. It is called for every request, those to a server that
	// another one named included, from the goroutine of the call. Its error ends the call.
	Authenticate func(*http.Request) error

	// Limit bounds an answer and a record, in bytes; 0 is DefaultLimit.
	Limit int

	// Silence is how long a stream may say nothing; 0 does not bound it.
	Silence time.Duration

	// Dial is how long a connection may take to make; 0 is ten seconds.
	Dial time.Duration
}

// Client makes calls to one endpoint. Its methods may be called from any number of goroutines.
type Client struct {
	config Config
	http   *http.Client

	mu     sync.Mutex
	leader string // the endpoint a redirect led to; empty before the first
}

// New makes a client. Nothing is sent.
func New(config Config) (*Client, error) {
	endpoint, err := url.Parse(config.Endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("endpoint: %w", err)
	case endpoint.Scheme != "http" && endpoint.Scheme != "https", endpoint.Host == "":
		return nil, fmt.Errorf("endpoint %q: want http://HOST:PORT/PATH", config.Endpoint)
	}
	if config.Limit == 0 {
		config.Limit = DefaultLimit
	}
	if config.Dial == 0 {
		config.Dial = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: config.Dial}
	dial := dialer.DialContext
	if config.Socket != "" {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", config.Socket)
		}
	}
	return &Client{config: config, http: &http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSHandshakeTimeout: config.Dial,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ReadBufferSize: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close ends the connections that are not in use. Streams are closed by who opened them.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Endpoint is where the next call goes first: the configured endpoint, or the one that the last redirect led to.
func (c *Client) Endpoint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader != "" {
		return c.leader
	}
	return c.config.Endpoint
}

func (c *Client) setLeader(endpoint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader = endpoint
}

// Call sends a call and reads the answer into a message, unless that is nil. The answer may be empty; then the message
// is left as it is. header is added to the request and may be nil.
func (c *Client) Call(ctx context.Context, call, answer proto.Message, header http.Header) error {
	body, err := c.config.Encoding.marshal(call)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	media := c.config.Encoding.MediaType()
	response, err := c.send(ctx, body, header, media, media)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := c.readAll(response)
	if err != nil || answer == nil || len(text) == 0 {
		return err
	}
	if err := decode(response.Header.Get("Content-Type"), text, answer); err != nil {
		return fmt.Errorf("%s: %w", c.Endpoint(), err)
	}
	return nil
}

func (c *Client) readAll(response *http.Response) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(response.Body, int64(c.config.Limit)+1))
	if err != nil {
		return nil, &TransportError{Endpoint: c.Endpoint(), Err: err}
	}
	if len(text) > c.config.Limit {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", c.Endpoint(), ErrTooLarge, c.config.Limit)
	}
	return text, nil
}

// send posts a body, follows redirects, and returns an answer of success, whose body the caller closes.
func (c *Client) send(ctx context.Context, body []byte, header http.Header, contentType, accept string) (*http.Response, error) {
	endpoint := c.Endpoint()
	for range maxRedirects {
		request, err := c.request(ctx, endpoint, bytes.NewReader(body), header, contentType, accept)
		if err != nil {
			return nil, err
		}
		response, err := c.do(request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusTemporaryRedirect && response.StatusCode != http.StatusPermanentRedirect {
			return c.judge(endpoint, response)
		}
		next, err := redirected(response)
		if err != nil {
			return nil, err
		}
		endpoint = next
		c.setLeader(next)
	}
	c.setLeader("")
	return nil, fmt.Errorf("%s: %w", c.config.Endpoint, ErrRedirects)
}

func (c *Client) request(ctx context.Context, endpoint string, body io.Reader, header http.Header, contentType, accept string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", accept)
	if c.config.Authenticate != nil {
		if err := c.config.Authenticate(request); err != nil {
			return nil, fmt.Errorf("authenticate with %s: %w", endpoint, err)
		}
	}
	return request, nil
}

// do sends one request. Without an answer the next call begins at the configured endpoint again: the server that a
// redirect led to may lead no longer.
func (c *Client) do(request *http.Request) (*http.Response, error) {
	response, err := c.http.Do(request)
	if err == nil {
		return response, nil
	}
	c.setLeader("")
	if cause := context.Cause(request.Context()); cause != nil {
		return nil, cause
	}
	var wrapped *url.Error // it repeats method and address
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return nil, &TransportError{Endpoint: request.URL.String(), Err: err}
}

// judge passes on an answer of success; of any other it makes an error.
func (c *Client) judge(endpoint string, response *http.Response) (*http.Response, error) {
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusAccepted {
		return response, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxErrorText))
	if err != nil {
		text = nil // the status says enough
	}
	if (&StatusError{Code: response.StatusCode}).Temporary() {
		c.setLeader("")
	}
	return nil, &StatusError{Endpoint: endpoint, Code: response.StatusCode, Text: strings.TrimSpace(string(text))}
}

// redirected is where an answer points to, resolved against the request.
func redirected(response *http.Response) (string, error) {
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil {
		return "", fmt.Errorf("%s: redirected, but %w", response.Request.URL, err)
	}
	if location.Scheme != "http" && location.Scheme != "https" {
		return "", fmt.Errorf("%s: redirected to %s", response.Request.URL, location)
	}
	return location.String(), nil
}

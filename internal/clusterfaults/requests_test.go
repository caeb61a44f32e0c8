package clusterfaults_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

const (
	typeJSON     = "application/json"
	typeProtobuf = "application/x-protobuf"

	schedulerPath = "/api/v1/scheduler"
	operatorPath  = "/api/v1"
	executorPath  = "/api/v1/executor"
)

// server is one of the daemons, as a client sees it.
type server struct {
	name string
	d    *cluster.Daemon
}

func servers(c *cluster.Cluster) []server {
	return []server{{"master", c.Master}, {"slave", c.Slave}}
}

// answer is an answer, read to its end.
type answer struct {
	status int
	body   string
}

// post sends one request over a connection of its own.
func post(t *testing.T, address, path string, body io.Reader, headers ...string) answer {
	t.Helper()
	a, err := try(t.Context(), http.MethodPost, address, path, body, headers...)
	require.NoError(t, err)
	return a
}

func try(ctx context.Context, method, address, path string, body io.Reader, headers ...string) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q, err := http.NewRequestWithContext(limited, method, "http://"+address+path, body)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Do(q)
	if err != nil {
		return answer{}, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	return answer{r.StatusCode, string(text)}, err
}

// well asserts that a daemon answers, soon, and has not grown beyond all bounds.
func well(t *testing.T, s server) {
	t.Helper()
	began := time.Now()
	a, err := try(t.Context(), http.MethodGet, s.d.Address, "/health", nil)
	require.NoError(t, err, "%s\n%s", s.name, tail(s.d.Log()))
	assert.Equal(t, http.StatusOK, a.status)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Less(t, resident(t, s.d), 600<<20, "bytes of memory of the %s", s.name)
	assert.NotContains(t, s.d.Log(), "panic")
	assert.NotContains(t, s.d.Log(), "goroutine ")
}

// resident is how many bytes of memory a daemon has.
func resident(t *testing.T, d *cluster.Daemon) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", d.PID()))
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

// raw sends bytes and returns the first line of what is answered; nothing if the
// daemon only closes the connection.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	conn := dial(t, address)
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, _ = io.WriteString(conn, text) // it may be answered before all is written
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line)
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // of a test's client
	return conn
}

func TestRequests(t *testing.T) {
	c, dir := up(t, nil, nil)
	for _, s := range servers(c) {
		t.Run(s.name, func(t *testing.T) {
			t.Run("malformed ones are refused", func(t *testing.T) { malformed(t, s) })
			t.Run("calls that are none are refused", func(t *testing.T) { nonsense(t, s) })
			t.Run("JSON bombs do not go off", func(t *testing.T) { bombs(t, s) })
			t.Run("calls that are cut anywhere do nothing", func(t *testing.T) { cutCalls(t, s) })
			t.Run("messages that are cut anywhere, or nonsense, do nothing", func(t *testing.T) { cutMessages(t, s) })
			t.Run("huge ones are cut off", func(t *testing.T) { huge(t, s) })
			t.Run("hundreds of half open ones stop nobody", func(t *testing.T) { halfOpen(t, s) })
			t.Run("files outside of what is attached cannot be read", func(t *testing.T) { traversal(t, s) })
		})
	}
	t.Run("frames of an attached input that are cut anywhere are refused", func(t *testing.T) { cutFrames(t, c) })
	t.Run("a scheduler's stream has one name", func(t *testing.T) { streamIDs(t, c) })
	t.Run("and afterwards a task runs as if nothing had been", func(t *testing.T) { runsATask(t, c, dir, "after") })
}

// runsATask asserts that a cluster does its work.
func runsATask(t *testing.T, c *cluster.Cluster, dir, id string) {
	t.Helper()
	f := join(t, c)
	f.launch(shell(id, "exit 0"), func(point, string) {})
	eventually(t, func() string {
		if end := f.end(id); end == nil {
			return "the task ends; the scheduler was told " + f.told(id)
		}
		return ""
	})
	assert.Equal(t, "TASK_FINISHED", f.end(id).GetState().String())
	assert.Empty(t, f.wrongs())
	eventually(t, func() string { return unsettled(t, c) })
	eventually(t, func() string {
		if left := containers(t, c, dir); len(left) > 0 {
			return fmt.Sprintf("no process is left: %v", left)
		}
		return ""
	})
}

func malformed(t *testing.T, s server) {
	for name, c := range map[string]struct{ text, want string }{
		"no HTTP":                    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"a header without a colon":   {"GET /state HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"two lengths":                {"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "HTTP/1.1 400 Bad Request"},
		"a negative length":          {"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabcd", "HTTP/1.1 400 Bad Request"},
		"a length beyond all bounds": {"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"chunks of no size":          {"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 400 Bad Request"},
		"another version":            {"GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported: unsupported protocol version"},
		"a path with a bad escape":   {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"a header without an end":    {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 1<<20), "HTTP/1.1 431 Request Header Fields Too Large"},
		"a method that is unknown":   {"BREW /api/v1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"},
		"a body that is shorter":     {"POST /api/v1 HTTP/1.0\r\nContent-Type: application/json\r\n\r\n", "HTTP/1.0 400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, raw(t, s.d.Address, c.text)) })
	}
	well(t, s)
}

// apis are where a daemon takes calls.
func apis(s server) []string {
	if s.name == "master" {
		return []string{schedulerPath, operatorPath}
	}
	return []string{executorPath, operatorPath}
}

// incomplete is a type of call that is nothing without its message.
func incomplete(path string, s server) string {
	switch {
	case path != operatorPath:
		return "SUBSCRIBE"
	case s.name == "master":
		return "TEARDOWN"
	default:
		return "KILL_NESTED_CONTAINER"
	}
}

func nonsense(t *testing.T, s server) {
	for _, path := range apis(s) {
		for name, c := range map[string]struct{ kind, body string }{
			"nothing":                       {typeJSON, ""},
			"no object":                     {typeJSON, "17"},
			"no type":                       {typeJSON, "{}"},
			"a type that is unknown":        {typeJSON, `{"type":"BREW_COFFEE"}`},
			"a type that is a number":       {typeJSON, `{"type":7}`},
			"a type without its message":    {typeJSON, `{"type":"` + incomplete(path, s) + `"}`},
			"two values":                    {typeJSON, `{"type":"GET_HEALTH"}{"type":"GET_HEALTH"}`},
			"bytes that are no UTF-8":       {typeJSON, "{\"type\":\"\xff\xfe\"}"},
			"JSON that is said protobuf":    {typeProtobuf, `{"type":"GET_HEALTH"}`},
			"nothing, in protobuf":          {typeProtobuf, ""},
			"an unknown type, in protobuf":  {typeProtobuf, "\x10\xff\x7f\x08\xff\x7f"},
			"a length beyond all bounds":    {typeProtobuf, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"},
			"groups in groups, in protobuf": {typeProtobuf, strings.Repeat("\x0b", 1<<20)},
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				a := post(t, s.d.Address, path, strings.NewReader(c.body), "Content-Type", c.kind)
				if name == "an unknown type, in protobuf" && path == operatorPath {
					assert.Equal(t, http.StatusNotImplemented, a.status, "it may be of a later release")
				} else {
					assert.Equal(t, http.StatusBadRequest, a.status, "%.300s", a.body)
				}
				assert.NotEmpty(t, a.body, "it says why")
				assert.Less(t, len(a.body), 4096)
			})
		}
	}
	well(t, s)
}

func bombs(t *testing.T, s server) {
	for name, body := range map[string]string{
		"deep lists":            strings.Repeat("[", 5<<20),
		"deep objects":          strings.Repeat(`{"a":`, 4<<20),
		"deep, closed":          `{"type":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}",
		"wide lists":            `{"x":[` + strings.Repeat("0,", 12<<20) + `0]}`,
		"wide lists of objects": `{"x":[` + strings.Repeat("{},", 9<<20) + `{}]}`,
		"many keys":             "{" + strings.Repeat(`"a":0,`, 5<<20) + `"b":0}`,
		"a huge number":         `{"type":1` + strings.Repeat("0", 16<<20) + `}`,
		"a huge exponent":       `{"type":1e999999999}`,
		"a long text":           `{"type":"` + strings.Repeat("a", 16<<20) + `"}`,
		"many escapes":          `{"type":"` + strings.Repeat(`\ud800`, 4<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range apis(s) {
				began := time.Now()
				a := post(t, s.d.Address, path, strings.NewReader(body), "Content-Type", typeJSON)
				assert.Equal(t, http.StatusBadRequest, a.status, "%s: %.300s", path, a.body)
				assert.Less(t, len(a.body), 4096)
				assert.Less(t, time.Since(began), 10*time.Second)
			}
		})
	}
	well(t, s)
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func huge(t *testing.T, s server) {
	for _, path := range apis(s) {
		t.Run(path+" that says so is not read", func(t *testing.T) {
			head := "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
			assert.Equal(t, "HTTP/1.1 413 Request Entity Too Large", raw(t, s.d.Address, head))
		})
		t.Run(path+" that does not end is cut off", func(t *testing.T) {
			a, err := try(t.Context(), http.MethodPost, s.d.Address, path, endless{}, "Content-Type", typeJSON)
			if err == nil { // else the connection was closed while the client wrote
				assert.Equal(t, http.StatusRequestEntityTooLarge, a.status)
			}
		})
	}
	t.Run("a message is cut off", func(t *testing.T) {
		a, err := try(t.Context(), http.MethodPost, s.d.Address, "/master/mesos.internal.RegisterSlaveMessage", endless{},
			"Libprocess-From", "slave(1)@127.0.0.1:1")
		if err == nil {
			assert.Equal(t, http.StatusBadRequest, a.status)
		}
	})
	well(t, s)
}

func halfOpen(t *testing.T, s server) {
	var open []net.Conn
	for i := range 400 {
		conn := dial(t, s.d.Address)
		open = append(open, conn)
		text := []string{
			"", "G", "GET /state HTTP/1.1\r\nHost: x\r\n",
			"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
			"POST /master/mesos.internal.PingSlaveMessage HTTP/1.1\r\nHost: x\r\nLibprocess-From: a@127.0.0.1:1\r\nContent-Length: 100\r\n\r\n\x08",
		}[i%5]
		_, err := io.WriteString(conn, text)
		require.NoError(t, err)
	}
	well(t, s)
	// The half of them goes away, some politely; the rest is the daemon's to close when
	// their time is over (internal/httpface).
	for i, conn := range open[:200] {
		tcp := conn.(*net.TCPConn)
		if i%2 == 0 {
			require.NoError(t, tcp.CloseWrite())
		} else {
			require.NoError(t, tcp.SetLinger(0)) // a reset
			require.NoError(t, tcp.Close())
		}
	}
	well(t, s)
}

func traversal(t *testing.T, s server) {
	for _, path := range []string{
		"../../../../etc/passwd", "/../../etc/passwd", "/slave/log/../../../etc/passwd", "/etc/passwd", "/proc/self/environ",
		"..%2f..%2fetc%2fpasswd", "/master/log/../../../../etc/passwd", "/\x00etc/passwd", "//etc/passwd", "/./../etc/passwd",
	} {
		for _, route := range []string{"read?offset=0&length=100&path=", "download?path=", "browse?path="} {
			query := "/files/" + route + strings.NewReplacer("\x00", "%00").Replace(path)
			a, err := try(t.Context(), http.MethodGet, s.d.Address, query, nil)
			require.NoError(t, err)
			assert.Contains(t, []int{http.StatusNotFound, http.StatusBadRequest}, a.status, "%s: %s", query, a.body)
			assert.NotContains(t, a.body, "root:")
		}
		body := fmt.Sprintf(`{"type":"READ_FILE","read_file":{"path":%s,"offset":0}}`, strconv.QuoteToASCII(strings.ReplaceAll(path, "\x00", "")))
		a := post(t, s.d.Address, operatorPath, strings.NewReader(body), "Content-Type", typeJSON)
		assert.Contains(t, []int{http.StatusNotFound, http.StatusBadRequest}, a.status, "%s: %s", body, a.body)
	}
	for _, path := range []string{"/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/static/../../../../../etc/passwd"} {
		line := raw(t, s.d.Address, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		assert.NotContains(t, line, "200", path)
	}
}

func cutCalls(t *testing.T, s server) {
	bodies := map[string]string{
		typeJSON:     `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"cut"}}}`,
		typeProtobuf: "\x10\x01\x1a\x0d\x0a\x0b\x0a\x04root\x12\x03cut",
	}
	for _, path := range apis(s) {
		for kind, whole := range bodies {
			for n := range len(whole) {
				a := post(t, s.d.Address, path, strings.NewReader(whole[:n]), "Content-Type", kind)
				assert.Equal(t, http.StatusBadRequest, a.status, "%s, %d bytes: %s", path, n, a.body)
			}
		}
	}
	well(t, s)
}

func cutMessages(t *testing.T, s server) {
	agent := "\x0a\x1c\x0a\x09localhost\x12\x0f\x0a\x04cpus\x10\x00\x1a\x05\x09\x00\x00\x00\x00"
	for _, name := range []string{
		"RegisterSlaveMessage", "ReregisterSlaveMessage", "UnregisterSlaveMessage", "StatusUpdateMessage", "ExitedExecutorMessage", "UpdateSlaveMessage",
		"RunTaskMessage", "RunTaskGroupMessage", "KillTaskMessage", "ShutdownFrameworkMessage", "SlaveRegisteredMessage", "SlaveReregisteredMessage",
		"StatusUpdateAcknowledgementMessage", "PingSlaveMessage", "ShutdownMessage", "ReconcileTasksMessage", "CheckpointResourcesMessage",
		"AuthenticateMessage", "AuthenticationStartMessage", "AuthenticationStepMessage", "NonsenseMessage", "", "..",
	} {
		for _, to := range []string{"master", "slave(1)", "authenticator", "nobody"} {
			for n := 0; n <= len(agent); n += 5 {
				for _, from := range []string{"slave(1)@127.0.0.1:1", "nonsense"} {
					a := post(t, s.d.Address, "/"+to+"/mesos.internal."+name, strings.NewReader(agent[:n]), "Libprocess-From", from, "Connection", "close")
					assert.Contains(t, []int{http.StatusAccepted, http.StatusNotFound, http.StatusBadRequest, http.StatusTemporaryRedirect, http.StatusMovedPermanently},
						a.status, "%s to %s: %s", name, to, a.body)
				}
			}
		}
	}
	well(t, s)
}

func cutFrames(t *testing.T, c *cluster.Cluster) {
	record := `{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":{"type":"CONTAINER_ID","container_id":{"value":"none"}}}`
	whole := strconv.Itoa(len(record)) + "\n" + record
	headers := []string{"Content-Type", "application/recordio", "Message-Content-Type", typeJSON}
	for n := range len(whole) {
		a := post(t, c.Slave.Address, operatorPath, strings.NewReader(whole[:n]), headers...)
		assert.Equal(t, http.StatusBadRequest, a.status, "%d bytes: %s", n, a.body)
	}
	for _, bad := range []string{"x\n" + record, "-5\n" + record, "99999999999999999999999\n", "4294967295\n" + record, "\n\n\n\n", strings.Repeat("9", 100<<10)} {
		a := post(t, c.Slave.Address, operatorPath, strings.NewReader(bad), headers...)
		assert.Equal(t, http.StatusBadRequest, a.status, "%.50s: %s", bad, a.body)
	}
	a := post(t, c.Slave.Address, operatorPath, strings.NewReader(whole), headers...)
	assert.Equal(t, http.StatusNotFound, a.status, "whole, it is for a container that is not there: %s", a.body)
	well(t, server{"slave", c.Slave})
}

package operator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/operator"
)

func TestSessions(t *testing.T) {
	r := newReal(t, nil)

	t.Run("a command beside another one shows its output from the first byte, and ends with its status", func(t *testing.T) {
		s, _ := r.attach(session(nested("echo"), shell("echo out; echo err >&2; exit 7"), nil))
		assert.Equal(t, apihttp.TypeRecordIO, s.Header().Get("Content-Type"))
		assert.Equal(t, apihttp.TypeProtobuf, s.Header().Get("Message-Content-Type"))
		out, err := output(t, s, "")
		assert.Equal(t, "out\n", out)
		assert.Equal(t, "err\n", err)
		assert.Equal(t, 7, r.exit(nested("echo")).ExitStatus())
	})

	t.Run("it is where its parent is", func(t *testing.T) {
		s, _ := r.attach(session(nested("where"), shell("pwd; echo $MESOS_SANDBOX"), nil))
		out, _ := output(t, s, "")
		assert.Equal(t, r.sandbox+"\n"+r.sandbox+"\n", out)
	})

	t.Run("what it reads comes from whoever attaches to its input", func(t *testing.T) {
		s, _ := r.attach(session(nested("cat"), shell("cat"), nil))
		in := r.input(nested("cat"))
		require.NoError(t, in.Send(data("hello ")))
		require.NoError(t, in.Send(data("world\n")))
		output(t, s, "hello world\n")
		require.NoError(t, in.Send(data("")))
		output(t, s, "")
		assert.Equal(t, 0, r.exit(nested("cat")).ExitStatus())
	})

	t.Run("a request that ends leaves the input open for the next", func(t *testing.T) {
		s, _ := r.attach(session(nested("again"), shell("cat"), nil))
		require.NoError(t, r.input(nested("again")).Finish(), "one record alone")
		first := r.input(nested("again"))
		require.NoError(t, first.Send(data("one\n")))
		output(t, s, "one\n")
		require.NoError(t, first.Finish())
		second := r.input(nested("again"))
		require.NoError(t, second.Send(data("two\n")))
		output(t, s, "two\n")
		require.NoError(t, second.Send(data("")))
		output(t, s, "")
	})

	t.Run("there is one input at a time", func(t *testing.T) {
		s, _ := r.attach(session(nested("busy"), shell("cat"), nil))
		first := r.input(nested("busy"))
		require.NoError(t, first.Send(data("x\n")))
		output(t, s, "x\n")
		status, _ := refused(t, r.input(nested("busy")).Finish())
		assert.Equal(t, http.StatusConflict, status)
		require.NoError(t, first.Finish())
	})

	t.Run("it dies when its client leaves", func(t *testing.T) {
		s, cancel := r.attach(session(nested("left"), shell("trap '' TERM HUP; echo here; sleep 1000 & sleep 1000"), nil))
		output(t, s, "here\n")
		cancel()
		r.gone(nested("left"))
	})

	t.Run("it dies when its client leaves without a word", func(t *testing.T) {
		body, err := proto.Marshal(session(nested("cut"), shell("echo here; exec sleep 1000"), nil))
		require.NoError(t, err)
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", apihttp.TypeProtobuf, len(body), body)
		require.NoError(t, err)
		_, err = bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0)) // as a machine that is gone
		require.NoError(t, conn.Close())
		r.gone(nested("cut"))
	})

	t.Run("one of a known id is not begun", func(t *testing.T) {
		assert.Equal(t, http.StatusAccepted, r.status(session(nested("cut"), shell("true"), nil)))
	})

	t.Run("it may have a terminal, whose size follows the client's", func(t *testing.T) {
		s, _ := r.attach(session(nested("tty"), shell(`test -t 0 && test -t 1 && test -t 2 && echo "a terminal"; stty -echo; echo ready; while read x; do stty size; done`), terminal()))
		output(t, s, "ready\r\n")
		in := r.input(nested("tty"))
		require.NoError(t, in.Send(window(33, 77)))
		require.NoError(t, in.Send(data("\n")))
		output(t, s, "33 77\r\n")
		require.NoError(t, in.Send(window(44, 88)))
		require.NoError(t, in.Send(data("\n")))
		output(t, s, "44 88\r\n")
		require.NoError(t, in.Send(data("\x04"))) // Ctrl-D
		output(t, s, "")
	})

	t.Run("a shell in a terminal obeys Ctrl-C", func(t *testing.T) {
		s, _ := r.attach(session(nested("interrupt"), shell(`trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.01; done`), terminal()))
		output(t, s, "ready\r\n")
		in := r.input(nested("interrupt"))
		require.NoError(t, in.Send(data("\x03")))
		output(t, s, "interrupted\r\n")
		assert.Equal(t, 5, r.exit(nested("interrupt")).ExitStatus())
	})
}

var errBroken = errors.New("it is broken")

// broken containers cannot be attached to.
type broken struct{ *containers.Service }

func (broken) AttachOutput(context.Context, *mesosv1.ContainerID, func(*agent.ProcessIO)) error {
	return errBroken
}

func TestASessionThatCannotBeAttachedToIsEnded(t *testing.T) {
	r := newReal(t, func(c *operator.Config) { c.Containers = broken{c.Containers.(*containers.Service)} })
	_, err := r.call(session(nested("S"), shell("exec sleep 1000"), nil))
	status, text := refused(t, err)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, errBroken.Error(), text)
	r.gone(nested("S"))
}

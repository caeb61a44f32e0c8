package operator_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/recordio"
	"github.com/mesos-modules/mms/internal/slave/operator"
	"github.com/mesos-modules/mms/internal/v1client"
)

// output reads a stream of output until it ends, or has shown text.
func output(t *testing.T, s *v1client.Stream, until string) (out, err string) {
	t.Helper()
	for until == "" || !strings.Contains(out, until) {
		piece := &agent.ProcessIO{}
		if end := s.Next(piece); end != nil {
			require.ErrorIs(t, end, io.EOF)
			require.Empty(t, until, "the output ended with %q", out)
			return out, err
		}
		switch piece.GetData().GetType() {
		case agent.ProcessIO_Data_STDOUT:
			out += string(piece.GetData().GetData())
		case agent.ProcessIO_Data_STDERR:
			err += string(piece.GetData().GetData())
		}
	}
	return out, err
}

func (r *real) attach(call *agent.Call) (*v1client.Stream, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	r.t.Cleanup(cancel)
	s, err := r.client.Attach(ctx, call, nil)
	require.NoError(r.t, err)
	r.t.Cleanup(s.Close)
	return s, cancel
}

func (r *real) input(id *mesosv1.ContainerID) *v1client.Input {
	in, err := r.client.Input(r.t.Context(), nil)
	require.NoError(r.t, err)
	r.t.Cleanup(in.Close)
	require.NoError(r.t, in.Send(attachTo(id)))
	return in
}

// gone waits until a container is destroyed. How it ended is not always known: a shim
// that has too much to do is killed with it.
func (r *real) gone(id *mesosv1.ContainerID) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	_, err := r.service.Wait(ctx, id)
	require.NoError(r.t, err)
}

func TestAttaching(t *testing.T) {
	r := newReal(t, nil)

	t.Run("several may watch a terminal", func(t *testing.T) {
		_, err := r.call(launch(nested("tty"), shell("stty -echo; while read x; do echo got $x; done"), terminal()))
		require.NoError(t, err)
		first, _ := r.attach(attachOutput(nested("tty")))
		second, _ := r.attach(attachOutput(nested("tty")))
		in := r.input(nested("tty"))
		require.NoError(t, in.Send(data("it\n")))
		output(t, first, "got it\r\n")
		output(t, second, "got it\r\n")
		first.Close()
		require.NoError(t, in.Send(data("more\n")))
		output(t, second, "got more\r\n")
		require.NoError(t, in.Finish())
	})

	t.Run("who attaches to what has no input or output is told so", func(t *testing.T) {
		_, err := r.call(launch(nested("plain"), shell("exec sleep 1000"), nil))
		require.NoError(t, err)
		_, err = r.call(attachOutput(nested("plain")))
		status, text := refused(t, err)
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.Contains(t, text, "no terminal")
		in := r.input(nested("plain"))
		require.NoError(t, in.Send(data("x")))
		status, text = refused(t, in.Finish())
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.Contains(t, text, "no terminal")
	})

	t.Run("who attaches to what is not there is told so", func(t *testing.T) {
		for _, id := range []*mesosv1.ContainerID{nested("none"), {Value: proto.String("none")}} {
			_, err := r.call(attachOutput(id))
			status, _ := refused(t, err)
			assert.Equal(t, http.StatusNotFound, status)
			status, _ = refused(t, r.input(id).Finish())
			assert.Equal(t, http.StatusNotFound, status)
		}
	})

	t.Run("the end of the container ends the input's request", func(t *testing.T) {
		_, err := r.call(launch(nested("ends"), shell("read x; exit 4"), terminal()))
		require.NoError(t, err)
		in := r.input(nested("ends"))
		require.NoError(t, in.Send(data("x\n")))
		assert.Equal(t, 4, r.exit(nested("ends")).ExitStatus())
		answered := make(chan error, 1)
		go func() {
			for err := error(nil); err == nil; {
				err = in.Send(record(&agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{
					Type: agent.ProcessIO_Control_HEARTBEAT.Enum(), Heartbeat: &agent.ProcessIO_Control_Heartbeat{}}}))
			}
			answered <- in.Finish()
		}()
		select {
		case err := <-answered:
			assert.Error(t, err)
		case <-time.After(limit):
			assert.Fail(t, "the request goes on")
		}
	})

	t.Run("wrong records are refused", func(t *testing.T) {
		for name, c := range map[string]struct {
			records []*agent.Call
			text    string
		}{
			"input before the container": {[]*agent.Call{data("x")}, "Expecting 'attach_container_input.type' to be CONTAINER_ID in the first record"},
			"a second container":         {[]*agent.Call{attachTo(nested("tty")), attachTo(nested("tty"))}, "Expecting 'attach_container_input.type' to be PROCESS_IO, not CONTAINER_ID"},
			"another call":               {[]*agent.Call{attachTo(nested("tty")), wait(nested("tty"))}, "Expecting 'attach_container_input.type' to be PROCESS_IO, not UNKNOWN"},
			"output":                     {[]*agent.Call{attachTo(nested("tty")), record(&agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDOUT.Enum(), Data: []byte("x")}})}, "Failed to validate agent::Call: Expecting 'process_io.data.type' to be STDIN"},
		} {
			t.Run(name, func(t *testing.T) {
				in, err := r.client.Input(t.Context(), nil)
				require.NoError(t, err)
				defer in.Close()
				for _, record := range c.records {
					require.NoError(t, in.Send(record))
				}
				status, text := refused(t, in.Finish())
				assert.Equal(t, http.StatusBadRequest, status)
				assert.Equal(t, c.text, text)
			})
		}
	})

	t.Run("an input that is cut within a record is refused, and lets the next one in", func(t *testing.T) {
		var body bytes.Buffer
		require.NoError(t, recordio.NewWriter(&body, 1<<20).WriteRecord(must(mesosjson.Marshal(attachTo(nested("tty"))))))
		body.WriteString("100\n{")
		request, err := http.NewRequest(http.MethodPost, r.url+"/api/v1", &body)
		require.NoError(t, err)
		request.Header.Set("Content-Type", apihttp.TypeRecordIO)
		request.Header.Set("Message-Content-Type", apihttp.TypeJSON)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		assert.Equal(t, http.StatusBadRequest, response.StatusCode)
		assert.NoError(t, r.input(nested("tty")).Finish())
	})

	t.Run("an input whose client is gone lets the next one in", func(t *testing.T) {
		in := r.input(nested("tty"))
		require.NoError(t, in.Send(data("x\n")))
		in.Close()
		require.Eventually(t, func() bool { return r.input(nested("tty")).Finish() == nil }, limit, time.Millisecond)
	})
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func TestWhoReadsSlowly(t *testing.T) {
	r := newReal(t, nil)

	t.Run("slows the container down, and gets everything", func(t *testing.T) {
		const much = 64 << 20
		s, _ := r.attach(session(nested("much"), shell(fmt.Sprintf("head -c %d /dev/zero", much)), nil))
		got := 0
		for {
			one := &agent.ProcessIO{}
			if err := s.Next(one); err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			got += len(one.GetData().GetData())
		}
		assert.Equal(t, much, got)
	})

	t.Run("does not keep the agent from stopping", func(t *testing.T) {
		s, _ := r.attach(session(nested("yes"), shell("while :; do echo y; sleep 0.01; done"), nil))
		output(t, s, "y\n")
		r.stopping()
		for {
			if err := s.Next(&agent.ProcessIO{}); err != nil {
				break
			}
		}
		r.gone(nested("yes"))
	})
}

func TestHeartbeats(t *testing.T) {
	r := newReal(t, func(c *operator.Config) { c.Heartbeat = 5 * time.Millisecond })
	s, _ := r.attach(session(nested("quiet"), shell("exec sleep 1000"), nil))
	for range 3 {
		beat := &agent.ProcessIO{}
		require.NoError(t, s.Next(beat))
		assert.Equal(t, agent.ProcessIO_CONTROL, beat.GetType())
		assert.Equal(t, agent.ProcessIO_Control_HEARTBEAT, beat.GetControl().GetType())
		assert.Equal(t, (5 * time.Millisecond).Nanoseconds(), beat.GetControl().GetHeartbeat().GetInterval().GetNanoseconds())
	}
}

func TestFormsOfAttaching(t *testing.T) {
	r := newReal(t, nil)
	_, err := r.call(launch(nested("tty"), shell("stty -echo; while read x; do echo got $x; done"), terminal()))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		accept, messageAccept string
		status                int
		contentType, message  string
	}{
		"nothing said":                   {"", "", 200, apihttp.TypeJSON, ""},
		"JSON":                           {apihttp.TypeJSON, "", 200, apihttp.TypeJSON, ""},
		"protobuf":                       {apihttp.TypeProtobuf, "", 200, apihttp.TypeProtobuf, ""},
		"anything":                       {"*/*", "", 200, apihttp.TypeJSON, ""},
		"recordio":                       {apihttp.TypeRecordIO, "", 200, apihttp.TypeRecordIO, apihttp.TypeJSON},
		"recordio of JSON":               {apihttp.TypeRecordIO, apihttp.TypeJSON, 200, apihttp.TypeRecordIO, apihttp.TypeJSON},
		"recordio of protobuf":           {apihttp.TypeRecordIO, apihttp.TypeProtobuf, 200, apihttp.TypeRecordIO, apihttp.TypeProtobuf},
		"recordio of something":          {apihttp.TypeRecordIO, "text/html", 406, apihttp.TypeText, ""},
		"something":                      {"text/html", "", 406, apihttp.TypeText, ""},
		"messages where there are none":  {apihttp.TypeJSON, apihttp.TypeJSON, 406, apihttp.TypeText, ""},
		"messages where nothing is said": {"", apihttp.TypeProtobuf, 406, apihttp.TypeText, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/api/v1", bytes.NewReader(must(mesosjson.Marshal(attachOutput(nested("tty"))))))
			require.NoError(t, err)
			request.Header.Set("Content-Type", apihttp.TypeJSON)
			for key, value := range map[string]string{"Accept": c.accept, "Message-Accept": c.messageAccept} {
				if value != "" {
					request.Header.Set(key, value)
				}
			}
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			assert.Equal(t, c.status, response.StatusCode)
			assert.Equal(t, c.contentType, response.Header.Get("Content-Type"))
			assert.Equal(t, c.message, response.Header.Get("Message-Content-Type"))
			if c.status != 200 {
				return
			}
			in := r.input(nested("tty"))
			require.NoError(t, in.Send(data("it\n")))
			require.NoError(t, in.Finish())
			read := mesosjson.Unmarshal
			if c.contentType == apihttp.TypeProtobuf || c.message == apihttp.TypeProtobuf {
				read = proto.Unmarshal
			}
			records, out := recordio.NewReader(response.Body, 1<<20), ""
			for !strings.Contains(out, "got it") { // the terminal may show what it reads
				next, err := records.Next()
				require.NoError(t, err)
				got := &agent.ProcessIO{}
				require.NoError(t, read(next, got))
				out += string(got.GetData().GetData())
			}
		})
	}
}

func TestAnInputThatNeverBegins(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	s.operator.Hurry(10 * time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nMessage-Content-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n100\r\n",
		apihttp.TypeRecordIO, apihttp.TypeJSON)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(limit)))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
}

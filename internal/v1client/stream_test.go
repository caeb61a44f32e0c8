package v1client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/recordio"
)

// stream answers with records until the request ends.
func stream(t *testing.T, w http.ResponseWriter, r *http.Request, records ...proto.Message) {
	w.Header().Set("Content-Type", "application/json")
	to := recordio.NewWriter(w, 0)
	for _, m := range records {
		text, err := mesosjson.Marshal(m)
		assert.NoError(t, err)
		assert.NoError(t, to.WriteRecord(text))
	}
	_ = http.NewResponseController(w).Flush()
	gone(r)
}

// gone waits until the client has gone, which a server sees only behind the request's body.
func gone(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestStreams(t *testing.T) {
	var handle handler
	s := server(t, handle.serve)
	event := func(id string) *mesosv1.TaskID { return &mesosv1.TaskID{Value: &id} }
	open := func(ctx context.Context, config Config) *Stream {
		config.Endpoint = s.URL
		st, err := client(t, config).Stream(ctx, health(), nil)
		require.NoError(t, err)
		t.Cleanup(st.Close)
		return st
	}
	read := func(st *Stream) (string, error) {
		got := &mesosv1.TaskID{}
		err := st.Next(got)
		return got.GetValue(), err
	}
	t.Run("give record after record, and end when they are closed", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, r *http.Request) { stream(t, w, r, event("a"), event("b")) })
		st := open(t.Context(), Config{})
		for _, want := range []string{"a", "b"} {
			got, err := read(st)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		time.AfterFunc(time.Millisecond, st.Close)
		_, err := read(st)
		require.ErrorIs(t, err, context.Canceled)
		st.Close()
	})
	t.Run("end with the server", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "13\n{\"value\":\"a\"}")
		})
		st := open(t.Context(), Config{})
		got, err := read(st)
		require.NoError(t, err)
		assert.Equal(t, "a", got)
		_, err = read(st)
		require.ErrorIs(t, err, io.EOF)
	})
	t.Run("cut inside a record are temporary failures", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "13\n{\"val")
		})
		_, err := read(open(t.Context(), Config{}))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.True(t, IsTemporary(err))
	})
	t.Run("have bounded records", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "1000000\n")
		})
		_, err := read(open(t.Context(), Config{Limit: 1000}))
		require.ErrorIs(t, err, recordio.ErrTooLarge)
	})
	t.Run("that are nonsense are errors", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "3\n{]}")
		})
		_, err := read(open(t.Context(), Config{}))
		require.ErrorContains(t, err, s.URL)
		assert.False(t, IsTemporary(err))
	})
	t.Run("must not be silent", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, r *http.Request) { stream(t, w, r, event("a")) })
		st := open(t.Context(), Config{Silence: 50 * time.Millisecond})
		_, err := read(st)
		require.NoError(t, err)
		_, err = read(st)
		require.ErrorIs(t, err, ErrSilent)
	})
	t.Run("end with their context", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, r *http.Request) { stream(t, w, r) })
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		st := open(ctx, Config{})
		cancel(why)
		_, err := read(st)
		require.ErrorIs(t, err, why)
	})
	t.Run("of no known form are refused", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/plain") })
		_, err := client(t, Config{Endpoint: s.URL}).Stream(t.Context(), health(), nil)
		require.ErrorContains(t, err, "Content-Type is text/plain")
	})
	t.Run("may be refused", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		_, err := client(t, Config{Endpoint: s.URL, Silence: time.Minute}).Stream(t.Context(), health(), nil)
		var status *StatusError
		require.ErrorAs(t, err, &status)
	})
}

func TestSilenceCountsFromTheLastRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		c := client(t, Config{Endpoint: "http://a:1", Silence: time.Minute})
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a:1", nil)
		require.NoError(t, err)
		st, err := c.open(t.Context(), func(ctx context.Context) (*http.Response, error) {
			context.AfterFunc(ctx, func() { _ = from.CloseWithError(ctx.Err()) }) // as a transport does
			return &http.Response{Request: request, Body: from, Header: http.Header{"Content-Type": {"application/json"}}}, nil
		})
		require.NoError(t, err)
		defer st.Close()
		go func() {
			for range 3 {
				<-time.After(50 * time.Second)
				_, _ = io.WriteString(to, "2\n{}")
			}
		}()
		began := time.Now()
		for range 3 {
			require.NoError(t, st.Next(&agentv1.ProcessIO{}))
		}
		require.ErrorIs(t, st.Next(&agentv1.ProcessIO{}), ErrSilent)
		assert.Equal(t, 210*time.Second, time.Since(began))
	})
}

func TestAttach(t *testing.T) {
	text := func(s string) *agentv1.ProcessIO {
		return &agentv1.ProcessIO{Type: agentv1.ProcessIO_DATA.Enum(), Data: &agentv1.ProcessIO_Data{Type: agentv1.ProcessIO_Data_STDOUT.Enum(), Data: []byte(s)}}
	}
	var handle handler
	s := server(t, handle.serve)
	c := client(t, Config{Endpoint: s.URL})
	t.Run("output", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "application/recordio", r.Header.Get("Accept"))
			assert.Equal(t, "application/x-protobuf", r.Header.Get("Message-Accept"))
			w.Header().Set("Content-Type", "application/recordio")
			w.Header().Set("Message-Content-Type", "application/x-protobuf")
			record, err := proto.Marshal(text("hello"))
			assert.NoError(t, err)
			assert.NoError(t, recordio.NewWriter(w, 0).WriteRecord(record))
		})
		st, err := c.Attach(t.Context(), health(), nil)
		require.NoError(t, err)
		defer st.Close()
		record := &agentv1.ProcessIO{}
		require.NoError(t, st.Next(record))
		assert.Equal(t, "hello", string(record.GetData().GetData()))
		require.ErrorIs(t, st.Next(record), io.EOF)
	})
	t.Run("input", func(t *testing.T) {
		got := make(chan string, 10)
		handle.set(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "application/recordio", r.Header.Get("Content-Type"))
			assert.Equal(t, "application/x-protobuf", r.Header.Get("Message-Content-Type"))
			from := recordio.NewReader(r.Body, 0)
			for {
				record, err := from.Next()
				if err != nil {
					assert.ErrorIs(t, err, io.EOF)
					return
				}
				m := &agentv1.ProcessIO{}
				assert.NoError(t, proto.Unmarshal(record, m))
				got <- string(m.GetData().GetData())
			}
		})
		in, err := c.Input(t.Context(), nil)
		require.NoError(t, err)
		defer in.Close()
		for _, want := range []string{"a", "b"} {
			require.NoError(t, in.Send(text(want)))
			assert.Equal(t, want, <-got, "it goes as it is sent")
		}
		require.NoError(t, in.Finish())
	})
	t.Run("input that is refused", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "busy", http.StatusConflict) })
		in, err := c.Input(t.Context(), nil)
		require.NoError(t, err)
		defer in.Close()
		var refused error
		for refused == nil {
			refused = in.Send(text(strings.Repeat("x", 10_000)))
		}
		var status *StatusError
		require.ErrorAs(t, in.Finish(), &status)
		assert.Equal(t, http.StatusConflict, status.Code)
	})
	t.Run("input that is given up", func(t *testing.T) {
		ended := make(chan struct{})
		handle.set(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(ended)
		})
		in, err := c.Input(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, in.Send(text("a")))
		in.Close()
		<-ended
		require.Error(t, in.Finish())
	})
}

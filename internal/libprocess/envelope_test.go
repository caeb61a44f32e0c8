package libprocess

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/wire"
)

func posted(path string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("body"))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestDecode(t *testing.T) {
	agent := PID{Name: "slave(1)", Addr: addr("10.0.0.1:5051")}
	t.Run("a message is told by either header, whatever its path", func(t *testing.T) {
		for _, header := range [][]string{
			{"Libprocess-From", "slave(1)@10.0.0.1:5051"},
			{"User-Agent", "libprocess/slave(1)@10.0.0.1:5051"},
			{"User-Agent", "libprocess/other@1.1.1.1:1", "Libprocess-From", "slave(1)@10.0.0.1:5051"},
		} {
			e, ok, err := Decode(posted("/master/mesos.internal.PingSlaveMessage", header...))
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, Envelope{From: agent, To: "master", Name: "mesos.internal.PingSlaveMessage", Body: []byte("body")}, e)
		}
	})
	t.Run("names of processes may be escaped", func(t *testing.T) {
		e, _, err := Decode(posted("/slave%281%29/x", "Libprocess-From", "a@10.0.0.1:1"))
		require.NoError(t, err)
		assert.Equal(t, "slave(1)", e.To)
	})
	t.Run("what is no message is left alone", func(t *testing.T) {
		for _, r := range []*http.Request{
			posted("/master/api/v1"), posted("/api/v1", "User-Agent", "curl/8 libprocess/"),
			httptest.NewRequest(http.MethodGet, "/state", nil),
		} {
			_, ok, err := Decode(r)
			require.NoError(t, err)
			assert.False(t, ok)
			rest, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Len(t, rest, int(max(r.ContentLength, 0)))
		}
		get := httptest.NewRequest(http.MethodGet, "/state", nil)
		get.Header.Set("Libprocess-From", "a@10.0.0.1:1")
		assert.False(t, IsMessage(get))
	})
	t.Run("bad ones say what is wrong", func(t *testing.T) {
		for path, want := range map[string]string{
			"/master": `the path "/master" is not /PROCESS/MESSAGE`, "/": "is not /PROCESS/MESSAGE", "//x": "is not /PROCESS/MESSAGE",
		} {
			_, ok, err := Decode(posted(path, "Libprocess-From", "a@10.0.0.1:1"))
			assert.True(t, ok)
			require.ErrorContains(t, err, want)
		}
		_, _, err := Decode(posted("/master/x", "Libprocess-From", "a"))
		require.ErrorContains(t, err, `"a" is no process id`)
	})
	t.Run("one that is too long is refused, with or without a length", func(t *testing.T) {
		for _, length := range []int64{MaxBody + 1, -1} {
			r := posted("/master/x", "Libprocess-From", "a@10.0.0.1:1")
			r.Body, r.ContentLength = io.NopCloser(zeros{}), length
			_, _, err := Decode(r)
			require.ErrorIs(t, err, ErrTooLarge)
		}
	})
	t.Run("one that is cut off is an error", func(t *testing.T) {
		r := posted("/master/x", "Libprocess-From", "a@10.0.0.1:1")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("half"), broken{}))
		_, _, err := Decode(r)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestReceiver(t *testing.T) {
	var got []Envelope
	h := Receiver(func(e Envelope) bool { got = append(got, e); return e.To == "master" },
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for _, c := range []struct {
		r    *http.Request
		want int
	}{
		{posted("/master/x", "Libprocess-From", "a@10.0.0.1:1"), 202},
		{posted("/nobody/x", "Libprocess-From", "a@10.0.0.1:1"), 404},
		{posted("/master/x", "Libprocess-From", "a"), 400},
		{posted("/master/x"), 418},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.r)
		assert.Equal(t, c.want, w.Code, c.r.Header)
	}
	assert.Len(t, got, 2)
}

func TestSamePeer(t *testing.T) {
	h := SamePeer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for from, want := range map[string]int{"a@10.0.0.1:1": 418, "a@10.0.0.2:1": 400, "a": 400, "": 418} {
		r := posted("/master/x")
		if from != "" {
			r.Header.Set("Libprocess-From", from)
		}
		r.RemoteAddr = "[::ffff:10.0.0.1]:40000"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, from)
	}
}

func TestUnmarshal(t *testing.T) {
	t.Run("a message by its name", func(t *testing.T) {
		m, err := Unmarshal(Envelope{Name: "mesos.internal.PingSlaveMessage", Body: []byte{8, 1}})
		require.NoError(t, err)
		assert.True(t, proto.Equal(&wire.PingSlaveMessage{Connected: proto.Bool(true)}, m))
	})
	t.Run("others are refused", func(t *testing.T) {
		for name, want := range map[string]string{
			"mesos.internal.NoSuchMessage": "is not known", "mesos.v1.TaskID": "is none of mesos.internal.*",
			"mesos.internal.UnregisterSlaveMessage": "slave_id",
		} {
			_, err := Unmarshal(Envelope{Name: name})
			require.ErrorContains(t, err, want)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("POST /master/mesos.internal.PingSlaveMessage HTTP/1.1\r\nHost: a\r\nLibprocess-From: slave(1)@10.0.0.1:5051\r\nContent-Length: 2\r\n\r\n\x08\x01")
	f.Add("POST /master/x HTTP/1.1\r\nHost: a\r\nUser-Agent: libprocess/a@[::1]:1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		e, ok, err := Decode(r)
		if !ok || err != nil {
			return
		}
		m, err := Unmarshal(e)
		if err != nil {
			return
		}
		// What was read can be sent on, and arrives the same.
		b, err := request(PID{Name: e.To, Addr: addr("10.0.0.1:1")}, e.From, m)
		require.NoError(t, err)
		again, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		require.NoError(t, err, "%q", b)
		back, ok, err := Decode(again)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, []any{e.To, e.Name, e.From}, []any{back.To, back.Name, back.From})
	})
}

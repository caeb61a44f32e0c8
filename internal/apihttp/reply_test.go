package apihttp_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

func TestBytes(t *testing.T) {
	for about, c := range map[string]struct {
		handler      http.HandlerFunc
		head, answer string
	}{
		"an empty answer has a length": {
			func(w http.ResponseWriter, _ *http.Request) { apihttp.Empty(w, http.StatusAccepted) },
			"", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		},
		"a message as JSON": {
			func(w http.ResponseWriter, r *http.Request) {
				apihttp.Message(w, r, apihttp.JSON, &mesosv1.TaskID{Value: proto.String("<a>")})
			},
			"", "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"value\":\"<a>\"}",
		},
		"a message as protobuf": {
			func(w http.ResponseWriter, r *http.Request) {
				apihttp.Message(w, r, apihttp.Protobuf, &mesosv1.TaskID{Value: proto.String("a")})
			},
			"", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: application/x-protobuf\r\nConnection: close\r\n\r\n\n\x01a",
		},
		"a refusal": {
			func(w http.ResponseWriter, r *http.Request) {
				apihttp.Refuse(http.StatusBadRequest, "Expecting 'type' to be present").Write(w, r)
			},
			"", "HTTP/1.1 400 Bad Request\r\nContent-Length: 30\r\nContent-Type: text/plain; charset=utf-8\r\n" +
				"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nExpecting 'type' to be present",
		},
		"a refusal without a text": {
			func(w http.ResponseWriter, r *http.Request) {
				(&apihttp.Refusal{Status: http.StatusUnauthorized, Challenges: []string{`Basic realm="a"`, `B realm="b"`}}).Write(w, r)
			},
			"", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 17\r\nContent-Type: text/plain; charset=utf-8\r\n" +
				"Www-Authenticate: Basic realm=\"a\", B realm=\"b\"\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n401 Unauthorized.",
		},
		"a redirect": {
			func(w http.ResponseWriter, r *http.Request) {
				(&apihttp.Refusal{Status: http.StatusTemporaryRedirect, Location: "//host:5050/state"}).Write(w, r)
			},
			"", "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: //host:5050/state\r\nConnection: close\r\n\r\n",
		},
	} {
		t.Run(about, func(t *testing.T) {
			got := exchange(t, serve(t, c.handler), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+c.head+"\r\n")
			assert.Equal(t, c.answer, got)
		})
	}
}

// filler writes a document of n strings of about 100 bytes.
func filler(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		apihttp.Document(w, r, func(e *mesosjson.Encoder) {
			e.BeginArray()
			for i := range n {
				e.String(strconv.Itoa(i) + strings.Repeat("x", 100))
			}
			e.EndArray()
		})
	}
}

func TestDocument(t *testing.T) {
	t.Run("a short answer is not compressed", func(t *testing.T) {
		r := get(t, filler(5), "/", "Accept-Encoding", "gzip")
		assert.Empty(t, r.Header.Get("Content-Encoding"))
		assert.NotEmpty(t, r.Header.Get("Content-Length"))
	})
	for about, n := range map[string]int{"a longer one is, with a length": 20, "one that is too long to keep is, in chunks": 50_000} {
		t.Run(about, func(t *testing.T) {
			r := get(t, filler(n), "/", "Accept-Encoding", "gzip")
			assert.Equal(t, "gzip", r.Header.Get("Content-Encoding"))
			assert.Equal(t, n == 20, r.Header.Get("Content-Length") != "")
			z, err := gzip.NewReader(r.Body)
			require.NoError(t, err)
			unpacked, err := io.ReadAll(z)
			require.NoError(t, err)
			assert.Equal(t, text(t, get(t, filler(n), "/")), string(unpacked))
		})
	}
	t.Run("jsonp makes a call of it", func(t *testing.T) {
		r := get(t, filler(0), "/?jsonp=angular.callbacks._0")
		assert.Equal(t, apihttp.TypeJavaScript, r.Header.Get("Content-Type"))
		assert.Equal(t, "angular.callbacks._0([])", text(t, r))
	})
	t.Run("a callback that is none is refused", func(t *testing.T) {
		r := get(t, filler(0), "/?jsonp=alert(1)//")
		assert.Equal(t, 400, r.StatusCode)
	})
	t.Run("an answer that cannot be made is an error", func(t *testing.T) {
		r := get(t, func(w http.ResponseWriter, r *http.Request) {
			apihttp.Document(w, r, func(e *mesosjson.Encoder) { e.BeginObject() })
		}, "/")
		assert.Equal(t, 500, r.StatusCode)
	})
}

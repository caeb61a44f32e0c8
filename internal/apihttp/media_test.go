package apihttp_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/apihttp"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		about  string
		accept []string
		want   string // empty: refused
	}{
		{"none", nil, apihttp.TypeJSON},
		{"empty", []string{""}, apihttp.TypeJSON},
		{"anything", []string{"*/*"}, apihttp.TypeJSON},
		{"JSON", []string{"application/json"}, apihttp.TypeJSON},
		{"protobuf", []string{"application/x-protobuf"}, apihttp.TypeProtobuf},
		{"case does not matter", []string{"Application/X-Protobuf"}, apihttp.TypeProtobuf},
		{"both", []string{"application/x-protobuf, application/json"}, apihttp.TypeJSON},
		{"repeated", []string{"text/html", "application/x-protobuf"}, apihttp.TypeProtobuf},
		{"a kind", []string{"application/*"}, apihttp.TypeJSON},
		{"q=0 excludes", []string{"application/json;q=0, application/x-protobuf"}, apihttp.TypeProtobuf},
		{"q=0 excludes from all", []string{"*/*, application/json; q=0.0"}, apihttp.TypeProtobuf},
		{"q above 0 does not", []string{"application/json;q=0.1"}, apihttp.TypeJSON},
		{"an unreadable q does not", []string{"application/json;q=high"}, apihttp.TypeJSON},
		{"others", []string{"text/html"}, ""},
		{"all excluded", []string{"*/*;q=0"}, ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			m, refusal := apihttp.Choose(http.Header{"Accept": c.accept})
			if c.want == "" {
				require.NotNil(t, refusal)
				assert.Equal(t, http.StatusNotAcceptable, refusal.Status)
				return
			}
			require.Nil(t, refusal)
			assert.Equal(t, c.want, m.ContentType())
		})
	}
}

func TestAcceptsGzip(t *testing.T) {
	for encodings, want := range map[string]bool{
		"": false, "gzip": true, "*": true, "deflate, GZIP;q=0.5": true, "gzip;q=0": false, "gzip;q=0.0, *": false, "deflate": false,
	} {
		assert.Equal(t, want, apihttp.AcceptsGzip(http.Header{"Accept-Encoding": {encodings}}), encodings)
	}
}

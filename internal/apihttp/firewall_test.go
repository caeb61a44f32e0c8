package apihttp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/apihttp"
)

func TestFirewall(t *testing.T) {
	disabled, err := apihttp.FirewallPaths(json.RawMessage(`{"disabled_endpoints":{"paths":["/files/debug","/slave(1)/files/debug"]}}`))
	require.NoError(t, err)
	guarded := apihttp.Firewall(disabled, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { apihttp.Empty(w, http.StatusOK) }))
	for path, want := range map[string]int{
		"/files/debug": 403, "/files/debug/": 403, "/slave(1)/files/debug": 403, "/files/browse": 200, "/files": 200,
	} {
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		assert.Equal(t, want, w.Code, path)
		if want == 403 {
			assert.Contains(t, w.Body.String(), "is disabled")
		}
	}
}

func TestFirewallRules(t *testing.T) {
	for rules, want := range map[string]string{
		`{}`: "",
		`[]`: `want {"disabled_endpoints": {"paths": [...]}}`,
		`{"disabled_endpoints":{"paths":["state"]}}`: `the path "state" does not begin with a slash`,
	} {
		paths, err := apihttp.FirewallPaths(json.RawMessage(rules))
		if want == "" {
			assert.NoError(t, err)
			assert.Empty(t, paths)
			continue
		}
		assert.ErrorContains(t, err, want)
	}
}

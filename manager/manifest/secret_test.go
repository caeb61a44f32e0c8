package manifest_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

func withParameters(parameters ...manifest.Parameter) manifest.Manifest {
	return manifest.Manifest{Libraries: []manifest.Library{{File: "/a", Modules: []manifest.Module{{Name: "m", Parameters: parameters}}}}}
}

func TestLooksSecret(t *testing.T) {
	for _, key := range []string{"password", "DB_PASSWORD", "userPasswd", "passphrase", "pwd", "pass", "client_secret", "jwtToken",
		"api_key", "apikey", "private-key", "credentials", "session_cookie", "PIN", "auth"} {
		assert.True(t, manifest.LooksSecret(key), key)
	}
	for _, key := range []string{"", "operation", "max_size", "author", "pinned", "passive", "url"} {
		assert.False(t, manifest.LooksSecret(key), key)
	}
}

func TestNoRenderingShowsASecret(t *testing.T) {
	m := withParameters(
		manifest.Parameter{Key: "password", Value: "hunter2"},
		manifest.Parameter{Key: "url", Value: "zk://bob:hunter2@host:2181/path"},
		manifest.Parameter{Key: "operation", Value: "sum"},
		manifest.Parameter{Key: "token"},
	)
	marshalled, err := json.Marshal(m)
	require.NoError(t, err)
	for _, text := range []string{m.Text(), string(marshalled), fmt.Sprint(m), fmt.Sprintf("%+v", m), fmt.Sprintf("%#v", m),
		fmt.Sprint(m.Libraries[0].Modules[0].Parameters[0])} {
		assert.NotContains(t, text, "hunter2")
		assert.Contains(t, text, "(hidden)")
	}
	assert.Equal(t, `{"libraries":[{"file":"/a","modules":[{"name":"m","parameters":[{"key":"password","value":"(hidden)"},`+
		`{"key":"url","value":"zk://(hidden)@host:2181/path"},{"key":"operation","value":"sum"},{"key":"token","value":""}]}]}]}`, m.Text())
	assert.Equal(t, m.Text(), string(marshalled))
	assert.Equal(t, "hunter2", m.Libraries[0].Modules[0].Parameters[0].Value, "the manifest itself keeps it")
}

func TestRedacted(t *testing.T) {
	m := withParameters(manifest.Parameter{Key: "seed", Value: "42"}, manifest.Parameter{Key: "size", Value: "7"})
	m.Libraries[0].At.Line = 3
	r := m.Redacted(func(module, key string) bool { return module == "m" && key == "seed" })
	assert.Equal(t, []manifest.Parameter{{Key: "seed", Value: manifest.Hidden}, {Key: "size", Value: "7"}}, r.Libraries[0].Modules[0].Parameters)
	assert.Equal(t, 3, r.Libraries[0].At.Line)

	r.Libraries[0].File = "/b"
	r.Libraries[0].Modules[0].Name = "n"
	assert.Equal(t, withParameters(manifest.Parameter{Key: "seed", Value: "42"}, manifest.Parameter{Key: "size", Value: "7"}), plain(m), "the original is not touched")
}

func TestShown(t *testing.T) {
	isSecret := func(_, key string) bool { return key == "seed" }
	for value, want := range map[string]string{
		"/a.so:m,/b.so:n":    "/a.so:m,/b.so:n",
		"file:///etc/m.json": "file:///etc/m.json",
		"":                   "",
		`{"libraries": `:     "(hidden)",
		` {"x": 1, "libraries": {"file": "a", "modules": {"name": "m", "parameters": [{"key": "seed", "value": "4"}, {"key": "token", "value": "5"}, {"key": "n", "value": "6"}]}}}`: `{"libraries":[{"file":"a","modules":[{"name":"m","parameters":[` +
			`{"key":"seed","value":"(hidden)"},{"key":"token","value":"(hidden)"},{"key":"n","value":"6"}]}]}]}`,
	} {
		assert.Equal(t, want, manifest.Shown(value, isSecret))
	}
}

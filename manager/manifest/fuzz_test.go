package manifest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

// seed adds the values of the golden file, those of the short form or the others.
func seed(f *testing.F, short bool) {
	archive, err := txtar.ParseFile("testdata/problems.txtar")
	require.NoError(f, err)
	for _, file := range archive.Files {
		if !strings.HasSuffix(file.Name, ": says") && strings.HasPrefix(file.Name, "short:") == short {
			f.Add(strings.TrimSuffix(string(file.Data), "\n"))
		}
	}
}

// stable holds what is read from a text to the one property both forms share: rendered and read again it is the same.
func stable(t *testing.T, m manifest.Manifest) {
	text := m.Text()
	again, _, err := manifest.ParseJSON("again", []byte(text), manifest.Options{MaxBytes: 8 << 20})
	require.NoError(t, err, text)
	assert.Equal(t, text, again.Text())
	assert.Equal(t, plain(m), plain(again))
}

// bounded holds an error to a length that does not grow with the text.
func bounded(t *testing.T, err error) {
	assert.Less(t, len(err.Error()), 51*1200)
}

func FuzzJSON(f *testing.F) {
	seed(f, false)
	f.Add(`{"libraries":[{"name":"x","limits":{"open":"1.5mins"},"modules":{"name":"m","parameters":[{"key":"k","value":"é"},{"key":"token","value":"t"}]}}]}`)
	f.Add(confined)
	f.Fuzz(func(t *testing.T, text string) {
		m, _, err := manifest.ParseJSON("fuzz", []byte(text), manifest.Options{})
		if err != nil {
			bounded(t, err)
			return
		}
		require.True(t, json.Valid([]byte(strings.TrimPrefix(text, "\ufeff"))), "accepted what is not JSON")
		stable(t, m)
	})
}

func FuzzShortForm(f *testing.F) {
	seed(f, true)
	f.Add("/root/path1:module1,path2:module2")
	f.Add(" a:m,\n b:n,a:o ")
	f.Fuzz(func(t *testing.T, value string) {
		if begin := strings.TrimSpace(strings.TrimPrefix(value, "\ufeff")); strings.HasPrefix(begin, "file://") ||
			strings.HasPrefix(begin, "/") && !strings.Contains(begin, ":") {
			return // names a file of this machine
		}
		m, _, err := manifest.Parse(value, manifest.Options{})
		if err != nil {
			bounded(t, err)
			return
		}
		stable(t, m)
	})
}

func FuzzRefs(f *testing.F) {
	for _, text := range []string{"a,b@^1", "m@>=1.1 <2", "a@>=1,<2", " a", "@", ",", "a@1,a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		refs, err := manifest.ParseRefs(text)
		if err != nil {
			return
		}
		var written []string
		for _, ref := range refs {
			written = append(written, ref.String())
		}
		assert.Equal(t, text, strings.Join(written, ","))
	})
}

package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAsk(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(map[string]string{"/good": "{\n  \"a\": 1\n}", "/text": "no"}[r.URL.Path]))
	}))
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	ask := func(path, answer string) error {
		return plan{questions: []question{{path, answer}}}.ask(t.Context(), server.URL)
	}
	t.Run("blanks do not count", func(t *testing.T) { assert.NoError(t, ask("/good", `{"a":1}`)) })
	t.Run("a wrong answer fails", func(t *testing.T) {
		assert.EqualError(t, ask("/good", `{"a":2}`), `GET /good: wrong answer, want {"a":2}`)
	})
	t.Run("what is no JSON fails", func(t *testing.T) { assert.ErrorContains(t, ask("/text", "no"), "/text: 200 OK") })
}

func TestShow(t *testing.T) {
	t.Run("the address", func(t *testing.T) {
		address, err := show(bufio.NewReader(strings.NewReader("load begins\nmesos-slave: answers at http://127.0.0.1:7\nmore\n")))
		require.NoError(t, err)
		assert.Equal(t, "http://127.0.0.1:7", address)
	})
	t.Run("a daemon that ends before", func(t *testing.T) {
		_, err := show(bufio.NewReader(strings.NewReader("load begins\n")))
		assert.ErrorIs(t, err, errEnded)
	})
}

// TestPlans holds the samples of "make run" to what they are to show: every
// vehicle, and several modules of one library.
func TestPlans(t *testing.T) {
	var all strings.Builder
	for _, p := range plans() {
		assert.NotEmpty(t, p.questions, p.daemon)
		all.WriteString(strings.Join(p.args, " "))
	}
	for _, part := range []string{"libcalculator.so", "libhello.so", "libdifference.so", "libgoplugin.so", "org_example_maximum", "org_example_quotient"} {
		assert.Contains(t, all.String(), part)
	}
}

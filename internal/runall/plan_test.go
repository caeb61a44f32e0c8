package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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

func TestJudge(t *testing.T) {
	failed := func(status string) error { return exec.Command("sh", "-c", "exit "+status).Run() }
	for _, c := range []struct {
		name, says string
		job        job
		err        error
		said       string
	}{
		{"what it should be is fine", "", job{shows: []string{"a"}}, nil, "a b"},
		{"so is a failure that should be one", "", job{status: 3}, failed("3"), ""},
		{"another status fails", "ends with status 3, want 0", job{}, failed("3"), ""},
		{"a success that should be none fails", "ends with status 0, want 3", job{status: 3}, nil, ""},
		{"missing output fails", `does not show "c"`, job{shows: []string{"a", "c"}}, nil, "a b"},
		{"a program that is not there fails", "not found", job{}, exec.ErrNotFound, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.job.judge(c.err, c.said)
			if c.says == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.says)
			}
		})
	}
}

// TestPlans holds the samples of "make run" to what they are to show: every
// vehicle, and several modules of one library.
func TestPlans(t *testing.T) {
	var all strings.Builder
	for _, p := range []plan{masterPlan(), slavePlan("127.0.0.1:5050")} {
		assert.NotEmpty(t, p.questions, p.daemon)
		all.WriteString(strings.Join(p.args, " "))
	}
	for _, part := range []string{"libcalculator.so", "libhello.so", "libdifference.so", "libgoplugin.so", "lib/remainder:", "org_example_maximum", "org_example_quotient"} {
		assert.Contains(t, all.String(), part)
	}
}

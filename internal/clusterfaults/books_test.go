package clusterfaults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

// fetch reads a document of a daemon.
func fetch(t *testing.T, address, path string, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(q)
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, r.StatusCode, "%s", text)
	require.NoError(t, json.Unmarshal(text, into), "%s", text)
}

// books is what a master's /state says, as far as somebody may leak something there.
type books struct {
	Slaves []struct {
		Active  bool           `json:"active"`
		Used    map[string]any `json:"used_resources"`
		Offered map[string]any `json:"offered_resources"`
	} `json:"slaves"`
	Frameworks []struct {
		Tasks       []struct{ ID, State string } `json:"tasks"`
		Unreachable []struct{ ID string }        `json:"unreachable_tasks"`
		Executors   []any                        `json:"executors"`
	} `json:"frameworks"`
}

// unsettled says what master and slave still keep of tasks that have all ended. Offers
// come and go while a framework declines them: their resources are none that leak.
func unsettled(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	var b books
	fetch(t, c.Master.Address, "/state", &b)
	if len(b.Slaves) != 1 || !b.Slaves[0].Active {
		return fmt.Sprintf("there is one active agent: %+v", b.Slaves)
	}
	for name, amount := range b.Slaves[0].Used {
		if amount != 0.0 {
			return fmt.Sprintf("%s is free: %v", name, amount)
		}
	}
	for _, f := range b.Frameworks {
		if len(f.Tasks)+len(f.Unreachable)+len(f.Executors) > 0 {
			return fmt.Sprintf("the master has no task: %+v", f)
		}
	}
	var s struct {
		Frameworks []struct{ Executors []struct{ ID string } } `json:"frameworks"`
	}
	fetch(t, c.Slave.Address, "/state", &s)
	for _, f := range s.Frameworks {
		if len(f.Executors) > 0 {
			return fmt.Sprintf("the slave has no executor: %+v", f)
		}
	}
	return ""
}

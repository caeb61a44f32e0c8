package clusterfaults_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/cluster"
)

func streamIDs(t *testing.T, c *cluster.Cluster) {
	f := join(t, c)
	call := func(kind string) string {
		return fmt.Sprintf(`{"type":%q,"framework_id":{"value":%q},"decline":{"offer_ids":[]},"accept":{"offer_ids":[],"operations":[]}}`, kind, f.id().GetValue())
	}
	for name, headers := range map[string][]string{
		"none": nil, "an empty one": {"Mesos-Stream-Id", ""}, "that of nobody": {"Mesos-Stream-Id", "3ab5b6f5-91f8-4c1a-8b5c-9d1a9ad0a4ee"},
		"a huge one": {"Mesos-Stream-Id", strings.Repeat("a", 10_000)}, "nonsense": {"Mesos-Stream-Id", "../../%00"},
	} {
		for _, kind := range []string{"DECLINE", "ACCEPT", "REVIVE", "SUPPRESS", "TEARDOWN", "RECONCILE"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				a := post(t, c.Master.Address, schedulerPath, strings.NewReader(call(kind)), append([]string{"Content-Type", typeJSON}, headers...)...)
				assert.Equal(t, http.StatusBadRequest, a.status, a.body)
			})
		}
	}
	body := bytes.NewBufferString(`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"x"}}}`)
	a := post(t, c.Master.Address, schedulerPath, body, "Content-Type", typeJSON, "Mesos-Stream-Id", "x")
	assert.Equal(t, http.StatusBadRequest, a.status, "one that subscribes has none: %s", a.body)
}

package v1client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/v1client"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"type":"GET_HEALTH","get_health":{"healthy":true}}`)
	}))
	defer server.Close()
	client, err := v1client.New(v1client.Config{Endpoint: server.URL + "/api/v1", Encoding: v1client.JSON})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	answer := &agent.Response{}
	err = client.Call(context.Background(), &agent.Call{Type: agent.Call_GET_HEALTH.Enum()}, answer, nil)
	fmt.Println(answer.GetGetHealth().GetHealthy(), err)
	// Output: true <nil>
}

// Package secretgenerator is the role SecretGenerator: modules that make the secrets
// with which executors authenticate.
package secretgenerator

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// SecretGenerator makes a secret for each executor.
//
// Who calls. The agent, before it launches an executor, if executors have to
// authenticate; from any number of goroutines at once. What it makes is handed to
// the executor in its environment, and has to be known to the HttpAuthenticator of
// the agent's executors.
type SecretGenerator interface {
	// Generate returns a secret of type VALUE that says who its bearer is. An error
	// fails the launch. What it returns is secret: it belongs in no error and no
	// log.
	Generate(ctx context.Context, principal *httpauth.Principal) (*mesosv1.Secret, error)
}

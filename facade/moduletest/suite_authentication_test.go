package moduletest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// wrongServer is the reference with one method replaced.
type wrongServer struct {
	*cramServer
	host  facade.Host
	start func(*wrongServer, string, string, []byte) (*handshake.Answer, error)
	step  func(*wrongServer, string, []byte) (*handshake.Answer, error)
	end   func(*wrongServer, string) error
	names []string
	needy bool
}

func (w *wrongServer) Initialize(ctx context.Context, all *mesosv1.Credentials) error {
	if w.needy {
		_ = all.Credentials[0]
	}
	return w.cramServer.Initialize(ctx, all)
}

func (w *wrongServer) Mechanisms(ctx context.Context) ([]string, error) {
	if w.names != nil {
		return w.names, nil
	}
	return w.cramServer.Mechanisms(ctx)
}

func (w *wrongServer) Start(ctx context.Context, session, peer, mechanism string, data []byte) (*handshake.Answer, error) {
	if w.start != nil {
		return w.start(w, session, mechanism, data)
	}
	return w.cramServer.Start(ctx, session, peer, mechanism, data)
}

func (w *wrongServer) Step(ctx context.Context, session string, data []byte) (*handshake.Answer, error) {
	if w.step != nil {
		return w.step(w, session, data)
	}
	return w.cramServer.Step(ctx, session, data)
}

func (w *wrongServer) End(ctx context.Context, session string) error {
	if w.end != nil {
		return w.end(w, session)
	}
	return w.cramServer.End(ctx, session)
}

const serverName, clientName = "org_example_cram_server", "org_example_cram_client"

func serverLibrary(w wrongServer) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[authenticator.Authenticator]{Name: serverName,
		New: func(_ context.Context, h facade.Host, _ facade.Parameters) (authenticator.Authenticator, error) {
			mine := w
			mine.cramServer, mine.host = &cramServer{challenges: map[string]string{}}, h
			return &mine, nil
		}}}}
}

// wrongClient is the reference with one method replaced.
type wrongClient struct {
	cramClient
	host  facade.Host
	start func(*mesosv1.Credential, []string) (*handshake.Start, error)
	step  func(*wrongClient, []byte) ([]byte, error)
}

func (w *wrongClient) Start(ctx context.Context, m, c string, credential *mesosv1.Credential, names []string) (*handshake.Start, error) {
	if w.start != nil {
		w.credential = credential
		return w.start(credential, names)
	}
	return w.cramClient.Start(ctx, m, c, credential, names)
}

func (w *wrongClient) Step(ctx context.Context, data []byte) ([]byte, error) {
	if w.step != nil {
		return w.step(w, data)
	}
	return w.cramClient.Step(ctx, data)
}

func clientLibrary(w wrongClient) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[authenticatee.Authenticatee]{Name: clientName,
		New: func(_ context.Context, h facade.Host, _ facade.Parameters) (authenticatee.Authenticatee, error) {
			mine := w
			mine.host = h
			return &mine, nil
		}}}}
}

func answer(o handshake.Answer_Outcome, principal string) *handshake.Answer {
	return &handshake.Answer{Outcome: &o, Principal: &principal}
}

const (
	hasNames      = "Mechanisms returns the names peers may choose from"
	letsIn        = "a peer is accepted who is who it says, with its principal"
	wrongSecret   = "a peer is refused whose secret is wrong"
	wrongName     = "a peer is refused whose principal is unknown"
	ownOutcome    = "sessions come from any number of goroutines at once, each with its own outcome"
	dropped       = "End closes a session whatever became of it, and what was kept is dropped"
	otherMethod   = "a mechanism that was not offered lets nobody in"
	serverSilent  = "credentials and data belong in no error and no log"
	serverReturns = "a call returns when its ctx ends"
)

func TestAuthenticators(t *testing.T) {
	t.Run("right", func(t *testing.T) { Conformance(t, serverLibrary(wrongServer{}), serverName) })
	t.Run("right, with a module at the other end", func(t *testing.T) {
		Conformance(t, serverLibrary(wrongServer{}), serverName, Peer(clientLibrary(wrongClient{}), clientName), Credential("ann", "opens3same"))
	})
	for about, c := range map[string]struct {
		wrong  wrongServer
		broken map[string]string
	}{
		"one that believes everybody": {wrongServer{step: func(w *wrongServer, _ string, _ []byte) (*handshake.Answer, error) {
			return answer(handshake.Answer_ACCEPTED, "moduletest-principal"), nil
		}}, map[string]string{wrongSecret: "REFUSED", wrongName: "REFUSED", ownOutcome: "REFUSED is right", dropped: "a session that was ended goes on"}},
		"one that fails instead of refusing": {wrongServer{step: func(w *wrongServer, s string, data []byte) (*handshake.Answer, error) {
			a, err := w.cramServer.Step(context.Background(), s, data)
			if a.GetOutcome() == handshake.Answer_REFUSED {
				return nil, fmt.Errorf("refused")
			}
			return a, err
		}}, map[string]string{wrongSecret: "not of the peer", wrongName: "not of the peer", ownOutcome: "refused"}},
		"one that needs credentials": {wrongServer{needy: true},
			map[string]string{"an operator may have configured no credentials": "panicked in Initialize"}},
		"one that forgets the principal": {wrongServer{step: func(w *wrongServer, s string, data []byte) (*handshake.Answer, error) {
			a, err := w.cramServer.Step(context.Background(), s, data)
			a.Principal = nil
			return a, err
		}}, map[string]string{letsIn: "moduletest-principal"}},
		"one that keeps what was ended": {wrongServer{end: func(*wrongServer, string) error { return nil }},
			map[string]string{dropped: "a session that was ended goes on"}},
		"one that ends what it knows only": {wrongServer{end: func(w *wrongServer, s string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if _, ok := w.challenges[s]; !ok && s == "never-started" {
				return fmt.Errorf("there is no session %s", s)
			}
			delete(w.challenges, s)
			return nil
		}}, map[string]string{dropped: "there is no session never-started"}},
		"one that takes any mechanism": {wrongServer{start: func(w *wrongServer, s, m string, _ []byte) (*handshake.Answer, error) {
			if m != cramMD5 {
				return answer(handshake.Answer_ACCEPTED, "anybody"), nil
			}
			return w.cramServer.Start(context.Background(), s, "", m, nil)
		}}, map[string]string{otherMethod: "Should not be"}},
		"one that logs what it gets": {wrongServer{step: func(w *wrongServer, s string, data []byte) (*handshake.Answer, error) {
			w.host.Logger().Debug("step", "data", string(data))
			return w.cramServer.Step(context.Background(), s, data)
		}}, map[string]string{serverSilent: "a secret is shown"}},
		"one that repeats it in errors": {wrongServer{start: func(w *wrongServer, s, m string, data []byte) (*handshake.Answer, error) {
			if len(data) > 0 {
				return nil, fmt.Errorf("what is %q?", data)
			}
			return w.cramServer.Start(context.Background(), s, "", m, nil)
		}}, map[string]string{serverSilent: "a secret stands in an error"}},
	} {
		t.Run(about, func(t *testing.T) { requireBroken(t, serverLibrary(c.wrong), serverName, c.broken) })
	}
	t.Run("one without mechanisms", func(t *testing.T) {
		l := serverLibrary(wrongServer{names: []string{}})
		assert.Contains(t, outcomeOf(t, hasNames, l, serverName), "Should NOT be empty")
		assert.Contains(t, outcomeOf(t, letsIn, l, serverName), "moduletest.Peer")
	})
	t.Run("one that waits for more than its ctx", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		l := serverLibrary(wrongServer{step: func(*wrongServer, string, []byte) (*handshake.Answer, error) { <-stay; return nil, nil }})
		assert.Contains(t, outcomeOf(t, serverReturns, l, serverName, impatient), "Step does not return within")
	})
}

func TestAuthenticatees(t *testing.T) {
	const (
		chooses   = "Start chooses one of the mechanisms the master has named"
		knowsNone = "Start is nil if the module knows none of them"
		in        = "the master accepts who has the secret"
		out       = "the master refuses who has another"
		own       = "an instance serves one attempt, and others serve theirs at the same time"
		quiet     = "credentials and data belong in no error and no log"
		returns   = "a call returns when its ctx ends"
	)
	t.Run("right", func(t *testing.T) { Conformance(t, clientLibrary(wrongClient{}), clientName) })
	t.Run("right, with a module at the other end", func(t *testing.T) {
		Conformance(t, clientLibrary(wrongClient{}), clientName, Peer(serverLibrary(wrongServer{}), serverName))
	})
	for about, c := range map[string]struct {
		wrong  wrongClient
		broken map[string]string
	}{
		"one that chooses what nobody named": {wrongClient{start: func(*mesosv1.Credential, []string) (*handshake.Start, error) {
			return &handshake.Start{Mechanism: proto.String("PLAIN")}, nil
		}}, map[string]string{chooses: "PLAIN", knowsNone: "Expected nil", in: "PLAIN", out: "PLAIN", own: "PLAIN"}},
		"one that fails where it knows none": {wrongClient{start: func(_ *mesosv1.Credential, names []string) (*handshake.Start, error) {
			if len(names) == 0 || names[0] != cramMD5 {
				return nil, errBroken
			}
			return &handshake.Start{Mechanism: proto.String(cramMD5)}, nil
		}}, map[string]string{knowsNone: "broken on purpose"}},
		"one that has a secret of its own": {wrongClient{step: func(w *wrongClient, data []byte) ([]byte, error) {
			return []byte(w.credential.GetPrincipal() + " " + digest("moduletest-s3cret", string(data))), nil
		}}, map[string]string{out: "REFUSED"}},
		"one that knows no secret": {wrongClient{step: func(w *wrongClient, data []byte) ([]byte, error) {
			return []byte(w.credential.GetPrincipal() + " guess"), nil
		}}, map[string]string{in: "ACCEPTED", own: "REFUSED"}},
		"one that logs the secret": {wrongClient{step: func(w *wrongClient, data []byte) ([]byte, error) {
			w.host.Logger().Info("step", "credential", w.credential.GetSecret())
			return w.cramClient.Step(context.Background(), data)
		}}, map[string]string{quiet: "a secret is shown"}},
		"one that repeats what it does not understand": {wrongClient{step: func(w *wrongClient, data []byte) ([]byte, error) {
			if len(data) < 20 {
				return nil, fmt.Errorf("what is %q?", data)
			}
			return w.cramClient.Step(context.Background(), data)
		}}, map[string]string{quiet: "a secret stands in an error"}},
	} {
		t.Run(about, func(t *testing.T) { requireBroken(t, clientLibrary(c.wrong), clientName, c.broken) })
	}
	t.Run("one that waits for more than its ctx", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		l := clientLibrary(wrongClient{step: func(*wrongClient, []byte) ([]byte, error) { <-stay; return nil, nil }})
		assert.Contains(t, outcomeOf(t, returns, l, clientName, impatient), "Step does not return within")
	})
}

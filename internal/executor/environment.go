package executor

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/v1client"
)

// Environment is what the agent tells an executor.
type Environment struct {
	FrameworkID *mesosv1.FrameworkID
	ExecutorID  *mesosv1.ExecutorID

	Agent     string // http://10.0.0.1:5051/slave(1), without a path below
	Socket    string // a Unix domain socket of the agent, if it has one
	Directory string // the sandbox as the agent sees it
	Sandbox   string // the sandbox as the executor sees it
	Token     string // proves the executor to the agent; secret

	Checkpoint bool          // the agent may come back
	Recovery   time.Duration // how long to wait for it; 0 without Checkpoint
	Backoff    time.Duration // the longest pause between two attempts to subscribe
	Grace      time.Duration // from SHUTDOWN to the end of the container
}

const (
	defaultRecovery = 15 * time.Minute
	defaultBackoff  = 2 * time.Second
	defaultGrace    = 5 * time.Second
)

// TokenVariable holds what proves the executor to the agent. Tasks do not get it.
const TokenVariable = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"

// Read reads an environment, as os.Environ gives it. The error holds all that is wrong with it.
func Read(environ []string) (Environment, error) {
	r := reader{values: map[string]string{}}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		r.values[name] = value
	}
	e := Environment{
		FrameworkID: &mesosv1.FrameworkID{Value: new(r.required("MESOS_FRAMEWORK_ID"))},
		ExecutorID:  &mesosv1.ExecutorID{Value: new(r.required("MESOS_EXECUTOR_ID"))},
		Socket:      r.values["MESOS_DOMAIN_SOCKET"],
		Directory:   r.values["MESOS_DIRECTORY"],
		Sandbox:     r.values["MESOS_SANDBOX"],
		Token:       r.values[TokenVariable],
		Checkpoint:  r.flag("MESOS_CHECKPOINT"),
		Backoff:     r.duration("MESOS_SUBSCRIPTION_BACKOFF_MAX", defaultBackoff),
		Grace:       r.duration("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", defaultGrace),
		Agent:       r.agent(),
	}
	if e.Checkpoint {
		e.Recovery = r.duration("MESOS_RECOVERY_TIMEOUT", defaultRecovery)
	}
	return e, errors.Join(r.problems...)
}

type reader struct {
	values   map[string]string
	problems []error
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

func (r *reader) required(name string) string {
	value := r.values[name]
	if value == "" {
		r.problem("the environment has no %s: an executor is started by an agent, which sets it", name)
	}
	return value
}

func (r *reader) flag(name string) bool {
	return r.values[name] == "1" || r.values[name] == "true"
}

func (r *reader) duration(name string, without time.Duration) time.Duration {
	text := r.values[name]
	if text == "" {
		return without
	}
	d, err := stout.ParseDuration(text)
	if err != nil {
		r.problem("%s=%s: %w", name, text, err)
	}
	return d
}

// agent is the agent's address: of its PID, slave(1)@10.0.0.1:5051, or else of its endpoint, 10.0.0.1:5051.
func (r *reader) agent() string {
	if pid := r.values["MESOS_SLAVE_PID"]; pid != "" {
		process, address, found := strings.Cut(pid, "@")
		if !found || process == "" || address == "" {
			r.problem("MESOS_SLAVE_PID=%s: want PROCESS@HOST:PORT", pid)
		}
		return "http://" + address + "/" + process
	}
	if endpoint := r.values["MESOS_AGENT_ENDPOINT"]; endpoint != "" {
		return "http://" + endpoint
	}
	r.problem("the environment has neither MESOS_SLAVE_PID nor MESOS_AGENT_ENDPOINT: an executor is started by an agent, which sets them")
	return ""
}

// Client is the configuration of a client of the agent; path is /api/v1/executor or /api/v1.
func (e Environment) Client(path string) v1client.Config {
	config := v1client.Config{Endpoint: e.Agent + path, Socket: e.Socket}
	if e.Token != "" {
		config.Authenticate = func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+e.Token)
			return nil
		}
	}
	return config
}

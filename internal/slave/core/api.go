// Package core is the agent as a state machine: it is told events and answers with
// effects. It has no clock, no socket, no disk and no goroutine, and calls no
// module. The same events give the same effects.
//
// What has to be asked elsewhere is an effect with a [Ticket], the answer an event
// with the same ticket. Messages that the core is given, keeps or hands out are never
// changed by anybody.
package core

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/roles/hook"
)

// Config is what the agent is started with. Names and defaults are those of the
// flags.
type Config struct {
	Info    *mesosv1.AgentInfo // without id; resources and attributes as the hooks left them
	Version string
	PID     libprocess.PID
	Random  *rand.Rand
	Started time.Time

	WorkDir     string // as it is named in the environment of executors
	LauncherDir string
	SandboxIn   string // --sandbox_directory
	SwitchUser  bool
	DefaultUser string // of frameworks that name none, and without switch_user

	RegistrationBackoff         time.Duration
	ExecutorRegistrationTimeout time.Duration
	ExecutorReregistration      time.Duration
	ExecutorShutdownGrace       time.Duration
	RecoveryTimeout             time.Duration
	ExecutorEnvironment         []*mesosv1.Environment_Variable
	HTTPCommandExecutor         bool
	AuthenticateHTTPExecutors   bool
	DomainSocket                string
	Credential                  bool // authenticate before registering
	AuthenticationBackoff       time.Duration
	AuthenticationTimeoutMin    time.Duration
	AuthenticationTimeoutMax    time.Duration
	Reconfiguration             string
	Cleanup                     bool // --recover=cleanup
	Strict                      bool
	Features                    []*mesosv1.AgentInfo_Capability
	MaxCompletedExecutors       int
	NativeLibrary               string
	LibprocessIP                string // the agent's own variable LIBPROCESS_IP

	// Hooks says whether there are any.
	Hooks bool
}

// RequestID is an HTTP request that waits for an [Answer] or for its stream.
type RequestID uint64

// StreamID is the stream of an executor; each subscription gets its own.
type StreamID uint64

// Ticket ties an answer to its question.
type Ticket uint64

// Event is what the core is told.
type Event interface{ event() }

type (
	// Recovered is what the checkpoints say, and which containers still live. It is
	// the first event. The error is fatal with --strict.
	Recovered struct {
		State *State
		Err   error
	}

	// MasterDetected says who leads; nil: nobody is known.
	MasterDetected struct {
		Leader *mesosv1.MasterInfo
		PID    libprocess.PID
	}

	// AuthenticationDone answers Authenticate.
	AuthenticationDone struct {
		Ticket
		Refused bool
		Err     error
	}

	// MasterMessage is a message from a master, or from its observer of this agent.
	MasterMessage struct {
		From    libprocess.PID
		Message proto.Message
	}

	// MasterExited says that the link to the master has broken.
	MasterExited struct{ PID libprocess.PID }

	// ExecutorCall is a call whose form has been checked. Stream is the name of the
	// stream that SUBSCRIBE opens. Claims are those of the token; they count if
	// executors authenticate.
	ExecutorCall struct {
		Request RequestID
		Stream  StreamID
		Claims  *mesosv1.Labels
		Call    *executor.Call
	}

	// StreamGone says that an executor has closed its stream, or does not read it.
	StreamGone struct{ Stream StreamID }

	// Launched answers LaunchContainer.
	Launched struct {
		Ticket
		Err error
	}

	// Terminated says that a container has ended; nil: nothing is known of it.
	Terminated struct {
		Container   *mesosv1.ContainerID
		Termination *slave.ContainerTermination
		Err         error
	}

	// Updated answers UpdateContainer.
	Updated struct {
		Ticket
		Err error
	}

	// ContainerStatus answers StatusOf; nil if there is none. Limited says that the
	// executor's container ends because it broke a limit.
	ContainerStatus struct {
		Ticket
		Status  *mesosv1.ContainerStatus
		Limited bool
	}

	// Hooked answers CallHooks with what Do returned.
	Hooked struct {
		Ticket
		Result any
	}

	// CheckpointFailed says that something could not be written. The Then of its
	// Write has not been done.
	CheckpointFailed struct {
		Checkpoint Checkpoint
		Err        error
	}

	// Oversubscribable is what the resource estimator has to lend.
	Oversubscribable struct{ Resources []*mesosv1.Resource }

	// Corrections are what the QoS controller wants done.
	Corrections struct{ Corrections []*slave.QoSCorrection }

	// Tick says that the time has come that Next named.
	Tick struct{}

	// Stop says that the daemon ends. Executors live on.
	Stop struct{}
)

func (Recovered) event()          {}
func (MasterDetected) event()     {}
func (AuthenticationDone) event() {}
func (MasterMessage) event()      {}
func (MasterExited) event()       {}
func (ExecutorCall) event()       {}
func (StreamGone) event()         {}
func (Launched) event()           {}
func (Terminated) event()         {}
func (Updated) event()            {}
func (ContainerStatus) event()    {}
func (Hooked) event()             {}
func (CheckpointFailed) event()   {}
func (Oversubscribable) event()   {}
func (Corrections) event()        {}
func (Tick) event()               {}
func (Stop) event()               {}

// Effect is what the core wants done. Effects are carried out in order, those of one
// event before those of the next.
type Effect interface{ effect() }

type (
	// Write writes a checkpoint and does not return before it is as safe as the
	// layout promises. Then is what follows if it succeeds, before anything else;
	// if not, CheckpointFailed does.
	Write struct {
		Checkpoint Checkpoint
		Then       []Effect
	}

	// ToMaster sends a message from the process slave(1).
	ToMaster struct {
		To      libprocess.PID
		Message proto.Message
	}

	// Link watches the master's address; MasterExited says when the link breaks.
	Link struct{ PID libprocess.PID }

	// Authenticate begins a handshake; an earlier one is given up.
	Authenticate struct {
		Ticket
		Master libprocess.PID
		Limit  time.Duration
	}

	// Detect looks for the leader anew.
	Detect struct{}

	// Answer ends a request.
	Answer struct {
		Request RequestID
		Status  int
		Text    string
	}

	// OpenStream answers a SUBSCRIBE with 200 and keeps the stream.
	OpenStream struct {
		Request RequestID
		Stream  StreamID
	}

	// Send sends an event to an executor.
	Send struct {
		Stream StreamID
		Event  *executor.Event
	}

	// CloseStream ends a stream after what was sent before.
	CloseStream struct{ Stream StreamID }

	// LaunchContainer makes the sandbox of an executor (Config.Directory), launches
	// its container and watches it: Launched follows and, if that has no error,
	// Terminated when the container has ended. After an error nothing is left of it.
	LaunchContainer struct {
		Ticket
		Container   *mesosv1.ContainerID
		Config      *slave.ContainerConfig
		Environment []*mesosv1.Environment_Variable
		PIDFile     string          // "" if the framework does not checkpoint
		Claims      *mesosv1.Labels // of the token the executor gets, if executors authenticate
	}

	// WatchContainer watches a container that was found at the start.
	WatchContainer struct{ Container *mesosv1.ContainerID }

	// DestroyContainer ends a container; Terminated follows, or Launched with an
	// error if its launch is not over yet.
	DestroyContainer struct{ Container *mesosv1.ContainerID }

	// UpdateContainer changes what a container may use.
	UpdateContainer struct {
		Ticket
		Container *mesosv1.ContainerID
		Requests  []*mesosv1.Resource
		Limits    map[string]*mesosv1.Value_Scalar
	}

	// StatusOf asks for the status of a container.
	StatusOf struct {
		Ticket
		Container *mesosv1.ContainerID
	}

	// CallHooks calls the hooks, in flag order. Without a ticket nobody waits.
	CallHooks struct {
		Ticket
		Name string
		Do   func(ctx context.Context, hooks []hook.Hook) any
	}

	// Attach makes a sandbox readable over HTTP.
	Attach struct {
		Framework *mesosv1.FrameworkInfo
		Executor  *mesosv1.ExecutorInfo
		Container *mesosv1.ContainerID
		Directory string
	}

	// Collect hands a path to the garbage collection. Its age counts from now, or, if
	// it is old, from when it was last changed. Keep takes it back.
	Collect struct {
		Path string
		Old  bool
	}
	Keep struct{ Path string }

	// Exit ends the daemon.
	Exit struct {
		Reason string
		Failed bool
	}

	// Log is a line for the operator.
	Log struct {
		Level Level
		Text  string
	}
)

// Level is how much a line of the log matters.
type Level int

const (
	Info Level = iota
	Warning
	Error
)

func (Write) effect()            {}
func (ToMaster) effect()         {}
func (Link) effect()             {}
func (Authenticate) effect()     {}
func (Detect) effect()           {}
func (Answer) effect()           {}
func (OpenStream) effect()       {}
func (Send) effect()             {}
func (CloseStream) effect()      {}
func (LaunchContainer) effect()  {}
func (WatchContainer) effect()   {}
func (DestroyContainer) effect() {}
func (UpdateContainer) effect()  {}
func (StatusOf) effect()         {}
func (CallHooks) effect()        {}
func (Attach) effect()           {}
func (Collect) effect()          {}
func (Keep) effect()             {}
func (Exit) effect()             {}
func (Log) effect()              {}

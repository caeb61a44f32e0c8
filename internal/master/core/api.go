// Package core is the master as a state machine: it is told events and answers with
// effects. It has no clock, no socket, no disk and no goroutine, and calls no
// module. The same events give the same effects, so that the master can be tested by
// transcript and driven with tens of thousands of simulated agents.
//
// What has to be asked elsewhere, of a module or the registry, is an effect with a
// [Ticket]; the answer is an event with the same ticket. Between the two the world
// goes on: whoever handles the answer looks whether what it concerns is still there.
//
// Messages that the core is given, keeps or hands out are never changed by anybody:
// a new state is a new message. So a [View] can be read while the core goes on.
package core

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/allocator"
	"github.com/mesos-modules/mms/roles/hook"
)

// Config is what the master is started with. Names and defaults are those of the
// flags.
type Config struct {
	Info    *mesosv1.MasterInfo // id, address, version; the id is new for every process
	Random  *rand.Rand
	Started time.Time

	HeartbeatInterval time.Duration // of scheduler and operator streams; 15 s

	AgentPingTimeout           time.Duration
	MaxAgentPingTimeouts       int
	AgentReregisterTimeout     time.Duration
	AgentRemovalRate           Rate          // zero: without limit
	RecoveryAgentRemovalLimit  float64       // in percent; 100
	OfferTimeout               time.Duration // 0: none
	RegistryGCInterval         time.Duration
	RegistryMaxAgentAge        time.Duration
	RegistryMaxAgentCount      int
	MaxCompletedFrameworks     int
	MaxCompletedTasks          int // per framework
	MaxUnreachableTasks        int // per framework
	MaxOperatorStreams         int
	RootSubmissions            bool
	Roles                      []string // whitelist; nil: all
	Weights                    []*mesosv1.WeightInfo
	AuthenticateAgents         bool
	AuthenticateHTTPFrameworks bool
	PublishPerFrameworkMetrics bool
	RequireAgentDomain         bool

	// Authorize and Hooks say whether there is anybody to ask. If not, no such
	// effects are made, and everything is allowed and left as it is.
	Authorize, Hooks bool
}

// Rate is N events per duration.
type Rate struct {
	N   int
	Per time.Duration
}

// RequestID is an HTTP request that waits for an [Answer] or for its stream.
type RequestID uint64

// StreamID is a stream of events to a client; for schedulers it is the value of
// Mesos-Stream-Id.
type StreamID string

// Ticket ties an answer to its question.
type Ticket uint64

// Principal is who an authenticated client is. Value may be absent, as with some
// tokens.
type Principal struct {
	Value  *string
	Claims *mesosv1.Labels
}

// Event is what the core is told.
type Event interface{ event() }

// The life of the master.
type (
	// Elected says that this master leads. It recovers its registry.
	Elected struct{}

	// LeaderDetected says who leads; nil: nobody is known.
	LeaderDetected struct{ Leader *mesosv1.MasterInfo }

	// RegistryRecovered answers RecoverRegistry.
	RegistryRecovered struct {
		Registry *wire.Registry
		Err      error
	}

	// RegistryStored answers Store. Refused says of an error that the change does not
	// fit what the registry has, so that nothing has changed; after any other error
	// nobody knows what the registry has, and the master ends.
	RegistryStored struct {
		Ticket
		Refused bool
		Err     error
	}

	// Tick says that the time has come that Next named.
	Tick struct{}
)

// Clients.
type (
	// SchedulerCall is a call whose form has been checked (validate.SchedulerCall).
	// Stream is the header's value, empty if there is none; for SUBSCRIBE it is the
	// name of the stream to be opened.
	SchedulerCall struct {
		Request   RequestID
		Stream    StreamID
		Principal *Principal // nil: not authenticated
		Call      *scheduler.Call
	}

	// StreamGone says that a client has closed its stream, or does not read it.
	StreamGone struct{ Stream StreamID }

	// OperatorCall is a call of the operator API that changes something, or
	// SUBSCRIBE, whose form has been checked. Reading calls are answered from a View.
	OperatorCall struct {
		Request   RequestID
		Stream    StreamID // of SUBSCRIBE
		Principal *Principal
		Call      *master.Call
	}
)

// Agents.
type (
	// AgentMessage is a message from an agent to one of the master's processes:
	// "master", or the name that a ping was sent from.
	AgentMessage struct {
		From    libprocess.PID
		To      string
		Message proto.Message
	}

	// AgentExited says that the link to a PID has broken.
	AgentExited struct{ PID libprocess.PID }

	// Authenticating, Authenticated and NotAuthenticated tell of handshakes, which
	// are made outside of the core. A registration waits for the pending one.
	Authenticating struct{ PID libprocess.PID }
	Authenticated  struct {
		PID       libprocess.PID
		Principal string
	}
	NotAuthenticated struct{ PID libprocess.PID }
)

// Answers of modules.
type (
	// Offered is one call of the allocator's sink.
	Offered struct{ Shares []*allocation.Share }

	// InverseOffered is likewise.
	InverseOffered struct{ Shares []*allocation.InverseShare }

	// AllocatorRenewed says that another allocator takes the place of the one that was
	// told of everything until now. Nothing that the old one offered comes after it.
	// The number is that of the Retell which answers it.
	AllocatorRenewed struct{ Number int }

	// Allocated answers an Allocate that has a ticket.
	Allocated struct {
		Ticket
		Err error
	}

	// Authorized answers Authorize, in the order of its requests. With an error
	// nothing is allowed.
	Authorized struct {
		Ticket
		Allowed []bool
		Err     error
	}

	// Hooked answers CallHooks with what Do returned.
	Hooked struct {
		Ticket
		Result any
	}
)

func (Elected) event()           {}
func (LeaderDetected) event()    {}
func (RegistryRecovered) event() {}
func (RegistryStored) event()    {}
func (Tick) event()              {}
func (SchedulerCall) event()     {}
func (StreamGone) event()        {}
func (OperatorCall) event()      {}
func (AgentMessage) event()      {}
func (AgentExited) event()       {}
func (Authenticating) event()    {}
func (Authenticated) event()     {}
func (NotAuthenticated) event()  {}
func (Offered) event()           {}
func (InverseOffered) event()    {}
func (AllocatorRenewed) event()  {}
func (Allocated) event()         {}
func (Authorized) event()        {}
func (Hooked) event()            {}

// Effect is what the core wants done. Effects of one event, and of the events after
// it, are carried out in order wherever order shows: per stream, per agent, per
// module.
type Effect interface{ effect() }

type (
	// RecoverRegistry reads the registry and adds this master to it.
	RecoverRegistry struct{}

	// Store applies a change to the registry. It is answered when it is safe.
	Store struct {
		Ticket
		Change RegistryChange
	}

	// Exit ends the daemon: it must not go on.
	Exit struct{ Reason string }

	// Answer ends a request. Text is the body of what is no 200; Message is written
	// in the form the client accepts.
	Answer struct {
		Request RequestID
		Status  int
		Text    string
		Message proto.Message
	}

	// OpenStream answers a SUBSCRIBE with 200 and keeps the stream. If the client is
	// already gone, StreamGone follows.
	OpenStream struct {
		Request RequestID
		Stream  StreamID
	}

	// OpenOperatorStream is likewise for operators; the first event, with the state
	// as it is at this moment, is made by the receiver of the effect.
	OpenOperatorStream struct {
		Request RequestID
		Stream  StreamID
	}

	// Send sends an event to a scheduler (*scheduler.Event) or operator
	// (*master.Event).
	Send struct {
		Stream StreamID
		Event  proto.Message
	}

	// CloseStream ends a stream after what was sent before. No StreamGone follows.
	CloseStream struct{ Stream StreamID }

	// ToAgent sends a message from one of the master's processes.
	ToAgent struct {
		To      libprocess.PID
		From    string // "master", or the observer of the agent
		Message proto.Message
	}

	// Link watches an agent's address; AgentExited says when the link breaks. Unlink
	// ends that.
	Link   struct{ PID libprocess.PID }
	Unlink struct{ PID libprocess.PID }

	// Allocate calls the allocator. Calls are made one at a time, in order. One
	// without a ticket is answered by nobody; its error is logged.
	Allocate struct {
		Ticket
		Name string // of the method, for logs and transcripts
		Do   func(ctx context.Context, a allocator.Allocator) error
	}

	// Retell answers AllocatorRenewed with the calls that tell a new allocator of all
	// there is, to be made before any that comes after. They contain what those before
	// have said that are not made yet: these are made no more.
	Retell struct {
		Number int
		Calls  []Allocate
	}

	// Authorize asks the authorizer.
	Authorize struct {
		Ticket
		Requests []*authorization.Request
	}

	// CallHooks calls the hooks, in flag order. Do goes through them; its result
	// comes back in Hooked. Without a ticket nobody waits.
	CallHooks struct {
		Ticket
		Name string
		Do   func(ctx context.Context, hooks []hook.Hook) any
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

func (RecoverRegistry) effect()    {}
func (Store) effect()              {}
func (Exit) effect()               {}
func (Answer) effect()             {}
func (OpenStream) effect()         {}
func (OpenOperatorStream) effect() {}
func (Send) effect()               {}
func (CloseStream) effect()        {}
func (ToAgent) effect()            {}
func (Link) effect()               {}
func (Unlink) effect()             {}
func (Allocate) effect()           {}
func (Retell) effect()             {}
func (Authorize) effect()          {}
func (CallHooks) effect()          {}
func (Log) effect()                {}

// RegistryChange is one change of the registry. Changes are plain data, so that a
// registrar may apply several at once.
type RegistryChange interface{ change() }

type (
	// AdmitAgent adds an agent. It fails if one with the id is there.
	AdmitAgent struct{ Info *mesosv1.AgentInfo }

	// UpdateAgent replaces what is known of an agent.
	UpdateAgent struct{ Info *mesosv1.AgentInfo }

	// MarkAgentUnreachable moves an agent to the unreachable ones.
	MarkAgentUnreachable struct {
		ID *mesosv1.AgentID
		At *mesosv1.TimeInfo
	}

	// MarkAgentReachable moves it back, with what it says of itself now; it also
	// admits an agent of which nothing is known any more.
	MarkAgentReachable struct{ Info *mesosv1.AgentInfo }

	// MarkAgentGone moves an agent to those that must not come back.
	MarkAgentGone struct {
		ID *mesosv1.AgentID
		At *mesosv1.TimeInfo
	}

	// RemoveAgent forgets an agent that left.
	RemoveAgent struct{ ID *mesosv1.AgentID }

	// Prune forgets unreachable and gone agents.
	Prune struct{ IDs []*mesosv1.AgentID }

	// UpdateWeights sets weights of roles.
	UpdateWeights struct{ Weights []*mesosv1.WeightInfo }

	// UpdateQuota sets quotas of roles.
	UpdateQuota struct{ Configs []*quota.QuotaConfig }

	// RemoveQuota removes the quota of a role.
	RemoveQuota struct{ Role string }
)

func (AdmitAgent) change()           {}
func (UpdateAgent) change()          {}
func (MarkAgentUnreachable) change() {}
func (MarkAgentReachable) change()   {}
func (MarkAgentGone) change()        {}
func (RemoveAgent) change()          {}
func (Prune) change()                {}
func (UpdateWeights) change()        {}
func (UpdateQuota) change()          {}
func (RemoveQuota) change()          {}

package core

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/libprocess"
)

// phase is how far the master is on its way to lead.
//
//	standby --Elected--> recovering --RegistryRecovered--> leading
type phase int

const (
	standby phase = iota
	recovering
	leading
)

// Core is the master's state. One goroutine uses it; what Handle and View return
// belongs to the caller.
type Core struct {
	config  Config
	now     time.Time
	effects []Effect
	timers  timers
	counts  counters

	phase   phase
	exiting bool // an Exit was said: nothing is done any more
	elected time.Time
	leader  *mesosv1.MasterInfo

	lastTicket Ticket
	waiting    map[Ticket]func(answer any)

	streams map[StreamID]*stream
	watched table[StreamID, *watcher] // streams of operators, oldest first

	frameworks     table[string, *framework]
	completed      table[string, *framework]
	frameworkCount int

	agents        table[string, *agent]
	agentAt       map[libprocess.PID]*agent
	agentCount    int
	observerCount int
	observers     map[string]*observer // by the name of their process
	recovered     table[string, *recoveredAgent]
	recoveredMany int // how many the registry had
	unreachable   table[string, *mesosv1.TimeInfo]
	gone          table[string, *mesosv1.TimeInfo]
	changing      map[string]string         // agents whose place in the registry is being changed, and how
	admitting     map[libprocess.PID]bool   // those that have no id yet
	handshakes    map[libprocess.PID]*authn // agents' authentication
	removals      limiter
	sums          clusterSums

	offers     table[string, *offer]
	offerCount uint64
	accepts    table[*accepting, struct{}] // those that are not settled

	weights  table[string, float64]
	quotas   table[string, *quota.QuotaConfig]
	audience map[string]*table[string, *framework] // frameworks by role
}

// New makes a master that does not lead yet.
func New(config Config) *Core {
	if len(config.Info.GetCapabilities()) == 0 {
		config.Info = clone(config.Info)
		for _, can := range []mesosv1.MasterInfo_Capability_Type{
			mesosv1.MasterInfo_Capability_AGENT_UPDATE, mesosv1.MasterInfo_Capability_AGENT_DRAINING,
			mesosv1.MasterInfo_Capability_QUOTA_V2,
		} {
			config.Info.Capabilities = append(config.Info.Capabilities, &mesosv1.MasterInfo_Capability{Type: can.Enum()})
		}
	}
	c := &Core{
		config:     config,
		now:        config.Started,
		waiting:    make(map[Ticket]func(any)),
		streams:    make(map[StreamID]*stream),
		agentAt:    make(map[libprocess.PID]*agent),
		observers:  make(map[string]*observer),
		changing:   make(map[string]string),
		admitting:  make(map[libprocess.PID]bool),
		handshakes: make(map[libprocess.PID]*authn),
		audience:   make(map[string]*table[string, *framework]),
		counts:     newCounters(),
	}
	for _, w := range config.Weights {
		c.weights.put(w.GetRole(), w.GetWeight())
	}
	return c
}

// Handle is told of an event and returns what is to be done, in order. Where now is
// before that of the call before, the clock was set back: what waits then goes on
// waiting for as long as was left.
func (c *Core) Handle(now time.Time, e Event) []Effect {
	if back := c.now.Sub(now); back > 0 {
		c.timers.setBack(back)
		c.removals.free = c.removals.free.Add(-back)
	}
	c.now, c.effects = now, nil
	if !c.exiting {
		c.handle(e)
	}
	effects := c.effects
	c.effects = nil
	return effects
}

func (c *Core) handle(e Event) {
	switch e := e.(type) {
	case Elected:
		c.electedNow()
	case LeaderDetected:
		c.leaderDetected(e.Leader)
	case RegistryRecovered:
		c.registryRecovered(e.Registry, e.Err)
	case RegistryStored:
		c.answered(e.Ticket, e)
	case Tick:
		c.tick()
	case SchedulerCall:
		c.schedulerCall(e)
	case StreamGone:
		c.streamGone(e.Stream)
	case OperatorCall:
		c.operatorCall(e)
	case AgentMessage:
		c.agentMessage(e)
	case AgentExited:
		c.agentExited(e.PID)
	case Authenticating:
		c.authenticating(e.PID)
	case Authenticated:
		c.authenticated(e.PID, e.Principal)
	case NotAuthenticated:
		c.notAuthenticated(e.PID)
	case Offered:
		c.offered(e.Shares)
	case InverseOffered:
		c.inverseOffered(e.Shares)
	case AllocatorRenewed:
		c.allocatorRenewed(e.Number)
	case Allocated:
		c.answered(e.Ticket, e)
	case Authorized:
		c.answered(e.Ticket, e)
	case Hooked:
		c.answered(e.Ticket, e)
	default:
		c.log(Error, "an event of type %T is not known and was left alone", e)
	}
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Core) log(level Level, format string, args ...any) {
	c.emit(Log{level, fmt.Sprintf(format, args...)})
}

// exit says that the daemon must end. Nothing is done after that.
func (c *Core) exit(format string, args ...any) {
	c.emit(Exit{Reason: fmt.Sprintf(format, args...)})
	c.exiting = true
}

// await makes a ticket; then is called with the event that carries it.
func (c *Core) await(then func(answer any)) Ticket {
	c.lastTicket++
	c.waiting[c.lastTicket] = then
	return c.lastTicket
}

// answered hands an answer to whoever waits. Each ticket is answered once; later
// answers, and unknown tickets, are dropped.
func (c *Core) answered(t Ticket, answer any) {
	then, ok := c.waiting[t]
	if !ok {
		return
	}
	delete(c.waiting, t)
	then(answer)
}

// store changes the registry and goes on when the change is safe, or refused. A
// registry that fails ends the master: its promises could not be kept.
func (c *Core) store(change RegistryChange, then func(refused error)) {
	ticket := c.await(func(answer any) {
		stored := answer.(RegistryStored)
		if stored.Err != nil && !stored.Refused {
			c.exit("the registry cannot be changed (%T): %v", change, stored.Err)
			return
		}
		if stored.Err != nil {
			c.log(Error, "the registry refuses a change (%T): %v", change, stored.Err)
		}
		then(stored.Err)
	})
	c.emit(Store{ticket, change})
}

// toAgent sends a message of the process "master" to an agent.
func (c *Core) toAgent(to libprocess.PID, m proto.Message) {
	c.emit(ToAgent{To: to, From: "master", Message: m})
}

func (c *Core) answer(request RequestID, status int, text string) {
	c.emit(Answer{Request: request, Status: status, Text: text})
}

// stamp is a moment as status updates have it, in seconds.
func (c *Core) stamp() *float64 {
	return proto.Float64(float64(c.now.UnixNano()) / float64(time.Second))
}

func timeInfo(t time.Time) *mesosv1.TimeInfo {
	return &mesosv1.TimeInfo{Nanoseconds: proto.Int64(t.UnixNano())}
}

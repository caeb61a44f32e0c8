package master

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/resources"
)

// The registries there are, as --registry names them.
const (
	replicatedLog = "replicated_log"
	boltRegistry  = "bbolt"
	inMemory      = "in_memory"
)

// drf is the one sorter that needs no parameter.
const drf = "drf"

// flagSet are the flags of the master.
type flagSet struct {
	cluster *flags.Value[string]
	domain  *flags.Value[json.RawMessage]

	pingTimeout, reregisterTimeout *flags.Value[time.Duration]
	maxPings                       *flags.Value[uint64]
	removalRate                    *flags.Value[core.Rate]
	recoveryLimit                  *flags.Value[float64]
	requireDomain                  *flags.Value[bool]
	whitelist                      *flags.Value[string]

	offerTimeout    *flags.Value[time.Duration]
	roles           *flags.Value[string]
	weights         *flags.Value[[]*mesosv1.WeightInfo]
	rootSubmissions *flags.Value[bool]

	allocationInterval, recoveryTimeout *flags.Value[time.Duration]
	recoveryFactor                      *flags.Value[float64]
	excluded                            *flags.Value[string]
	filterGPU                           *flags.Value[bool]
	roleSorter, frameworkSorter         *flags.Value[string]
	minAllocatable                      *flags.Value[[]*mesosv1.OfferFilters_ResourceQuantities]

	authenticateAgents, authenticateFrameworks *flags.Value[bool]
	authenticateHTTPFrameworks                 *flags.Value[bool]
	authenticateReadOnly, authenticateWriting  *flags.Value[bool]
	authenticationTimeout                      *flags.Value[time.Duration]
	credentials                                *flags.Value[string]
	acls                                       *flags.Value[json.RawMessage]
	firewall                                   *flags.Value[json.RawMessage]

	registry                   *flags.Value[string]
	fetchTimeout, storeTimeout *flags.Value[time.Duration]
	gcInterval, maxAgentAge    *flags.Value[time.Duration]
	maxAgentCount              *flags.Value[uint64]
	strict                     *flags.Value[bool]

	maxCompletedFrameworks, maxCompletedTasks *flags.Value[uint64]
	maxUnreachableTasks, maxSubscribers       *flags.Value[uint64]
	perFrameworkMetrics                       *flags.Value[bool]

	zk *flags.Value[string]
}

// Declare implements daemon.Core.
func (f *flagSet) Declare(set *flags.Set) {
	f.declareAgents(set.Group("Agents"))
	f.declareFrameworks(set.Group("Frameworks"))
	f.declareAllocation(set.Group("Allocation"))
	f.declareAuthentication(set.Group("Authentication and authorization"))
	f.declareRegistry(set.Group("Registry"))
	f.declareHistory(set.Group("History and measures"))
	f.declareOthers(set.Group("Other flags of Apache Mesos"))
}

func (f *flagSet) declareAgents(g *flags.Group) {
	f.pingTimeout = g.Duration("agent_ping_timeout", "How long an agent may take to answer a ping, and how often it is pinged.",
		flags.Default("15secs"), flags.DeprecatedAlias("slave_ping_timeout"), flags.Between(time.Second, 15*time.Minute))
	f.maxPings = g.Uint("max_agent_ping_timeouts", "How many pings in a row an agent may leave unanswered before it counts as unreachable.",
		flags.Default("5"), flags.DeprecatedAlias("max_slave_ping_timeouts"), flags.Check(positive[uint64]))
	f.reregisterTimeout = g.Duration("agent_reregister_timeout", "How long an agent may take to come back after its connection broke, or after the master has changed.",
		flags.Default("10mins"), flags.DeprecatedAlias("slave_reregister_timeout"), flags.Check(func(d time.Duration) error {
			if d < 10*time.Minute {
				return errors.New("want at least 10mins")
			}
			return nil
		}))
	f.removalRate = flags.Add(g, "agent_removal_rate_limit", "How fast agents that do not answer may be marked unreachable. Without it, at once.",
		rateKind, flags.DeprecatedAlias("slave_removal_rate_limit"), flags.Example("1/10mins"))
	f.recoveryLimit = flags.Add(g, "recovery_agent_removal_limit", "If a greater share of the agents does not come back after the master has changed, it ends.",
		percentKind, flags.Default("100%"), flags.DeprecatedAlias("recovery_slave_removal_limit"))
	f.requireDomain = g.Bool("require_agent_domain", "Let only agents register that say where they stand.")
	f.whitelist = g.Path("whitelist", "File with the names of the hosts whose agents are offered, one a line; read anew every 5secs. Without it, all are.")
}

func (f *flagSet) declareFrameworks(g *flags.Group) {
	f.offerTimeout = g.Duration("offer_timeout", "How long an offer stands before it is rescinded. Without it, until it is answered.", flags.Check(positive[time.Duration]))
	f.roles = g.String("roles", "The roles that frameworks may have, divided by commas. Deprecated: without it, all.", flags.Example("web,batch"))
	f.weights = flags.Add(g, "weights", "Weights of roles. Deprecated: they can be set while the master runs.", weightsKind, flags.Example("web=2,batch=0.5"))
	f.rootSubmissions = g.Bool("root_submissions", "Let frameworks run tasks as root.", flags.Default("true"))
}

func (f *flagSet) declareAllocation(g *flags.Group) {
	f.allocationInterval = g.Duration("allocation_interval", "Time between two runs of the allocator over all agents.", flags.Default("1secs"), flags.Check(positive[time.Duration]))
	f.recoveryTimeout = g.Duration("allocator_recovery_timeout", "After the master has changed and if there are quotas, nothing is offered for so long, or until enough agents are back.",
		flags.Default("10mins"))
	f.recoveryFactor = g.Float("allocator_agent_recovery_factor", "Part of the agents that is enough for that.", flags.Default("0.8"), flags.Between(0.0, 1.0))
	f.excluded = g.String("fair_sharing_excluded_resource_names", "Resources that do not count in a role's share, divided by commas.", flags.Example("gpus"))
	f.filterGPU = g.Bool("filter_gpu_resources", "Keep agents with GPUs for frameworks that ask for GPUs.", flags.Default("true"))
	sorters := []string{drf, "random"}
	f.roleSorter = g.Choice("role_sorter", "Who of the roles is served first: the one with the smallest dominant share, or by lot.", sorters,
		flags.Default(drf), flags.DeprecatedAlias("user_sorter"))
	f.frameworkSorter = g.Choice("framework_sorter", "The same for the frameworks of a role; it has to be the one for roles.", sorters, flags.Default(drf))
	f.minAllocatable = flags.Add(g, "min_allocatable_resources", "What is worth an offer; any of the quantities is enough.",
		quantitiesKind, flags.Default("cpus:0.01|mem:32"))
	const linear = "text in offer constraints is matched by an engine that takes no more time than the text is long"
	g.Bytes("offer_constraints_re2_max_mem", "Memory that an expression in offer constraints may take.", flags.Default("4KB"), flags.WithoutUse(linear))
	g.Int("offer_constraints_re2_max_program_size", "Size that an expression in offer constraints may have.", flags.Default("100"), flags.WithoutUse(linear))
}

func (f *flagSet) declareAuthentication(g *flags.Group) {
	f.authenticateAgents = g.Bool("authenticate_agents", "Let only authenticated agents register.", flags.DeprecatedAlias("authenticate_slaves"))
	f.authenticateFrameworks = g.Bool("authenticate_frameworks", "Let only authenticated frameworks register that do not use HTTP.", flags.DeprecatedAlias("authenticate"),
		flags.WithoutUse("frameworks use HTTP here"))
	f.authenticateHTTPFrameworks = g.Bool("authenticate_http_frameworks", "Let only authenticated frameworks use the scheduler API.")
	f.authenticateReadOnly = g.Bool("authenticate_http_readonly", "Let only authenticated clients read.")
	f.authenticateWriting = g.Bool("authenticate_http_readwrite", "Let only authenticated clients change something, or use the operator API.", flags.DeprecatedAlias("authenticate_http"))
	f.authenticationTimeout = g.Duration("authentication_v0_timeout", "How long a handshake with an agent may take.", flags.Default("15secs"), flags.Check(positive[time.Duration]))
	f.credentials = g.Path("credentials", `File with the principals and secrets of agents, frameworks and operators, as JSON: {"credentials": [{"principal": "...", "secret": "..."}]}.`)
	f.acls = g.JSON("acls", "Who may do what, for the authorizer local.", flags.Example(`{"permissive": true}`))
	f.firewall = g.JSON("firewall_rules", "Paths that are answered with 403.", flags.Example(`{"disabled_endpoints": {"paths": ["/teardown"]}}`))
	g.JSON("rate_limits", "How many messages frameworks may send.", flags.WithoutUse("it is about frameworks that do not use HTTP"))
}

func (f *flagSet) declareRegistry(g *flags.Group) {
	f.registry = g.Choice("registry", "Where the master keeps what must outlive it. replicated_log and bbolt are a file below --work_dir; in_memory is forgotten.",
		[]string{replicatedLog, boltRegistry, inMemory}, flags.Default(replicatedLog))
	f.fetchTimeout = g.Duration("registry_fetch_timeout", "How long reading the registry may take; past it the master ends.", flags.Default("1mins"), flags.Check(positive[time.Duration]))
	f.storeTimeout = g.Duration("registry_store_timeout", "How long writing the registry may take; past it the master ends.", flags.Default("20secs"), flags.Check(positive[time.Duration]))
	f.gcInterval = g.Duration("registry_gc_interval", "How often agents that are unreachable or gone are forgotten.", flags.Default("15mins"), flags.Check(positive[time.Duration]))
	f.maxAgentAge = g.Duration("registry_max_agent_age", "How long agents that are unreachable or gone are remembered.", flags.Default("2weeks"))
	f.maxAgentCount = g.Uint("registry_max_agent_count", "How many of them are remembered.", flags.Default("102400"))
	f.strict = g.Bool("registry_strict", "Refuse agents that the registry does not know. Not possible any more.")
}

func (f *flagSet) declareHistory(g *flags.Group) {
	f.maxCompletedFrameworks = g.Uint("max_completed_frameworks", "How many removed frameworks are remembered.", flags.Default("50"))
	f.maxCompletedTasks = g.Uint("max_completed_tasks_per_framework", "How many ended tasks of each framework are remembered.", flags.Default("1000"))
	f.maxUnreachableTasks = g.Uint("max_unreachable_tasks_per_framework", "How many tasks on unreachable agents are remembered of each framework.", flags.Default("1000"))
	f.maxSubscribers = g.Uint("max_operator_event_stream_subscribers", "How many event streams operators may have; beyond it the oldest is closed.",
		flags.Default("1000"), flags.Check(positive[uint64]))
	f.perFrameworkMetrics = g.Bool("publish_per_framework_metrics", "Measure each framework.", flags.Default("true"))
}

func (f *flagSet) declareOthers(g *flags.Group) {
	f.cluster = g.String("cluster", "Name of the cluster, for people.")
	f.domain = g.JSON("domain", "Where this master stands.", flags.Example(`{"fault_domain": {"region": {"name": "a"}, "zone": {"name": "b"}}}`))
	f.zk = g.String("zk", "Address of a ZooKeeper ensemble. Not possible: --master_contender and --master_detector take modules that use one.")
	const onlyZooKeeper = "there is no ZooKeeper here"
	g.Duration("zk_session_timeout", "How long a session with ZooKeeper lasts.", flags.Default("10secs"), flags.WithoutUse(onlyZooKeeper))
	const onlyLog = "the registry is no replicated log"
	g.Int("quorum", "How many masters have to keep a change of the registry.", flags.WithoutUse(onlyLog))
	g.Bool("log_auto_initialize", "Make the replicated log if there is none.", flags.Default("true"), flags.WithoutUse(onlyLog))
	g.Uint("max_executors_per_agent", "How many executors an agent may have.", flags.DeprecatedAlias("max_executors_per_slave"),
		flags.WithoutUse("it belongs to the isolator of port ranges"))
	g.Path("webui_dir", "Folder with a web page.", flags.WithoutUse("the daemon has a page of its own"))
}

func positive[T uint64 | time.Duration](v T) error {
	if v <= 0 {
		return errors.New("want more than 0")
	}
	return nil
}

var rateKind = flags.Kind[core.Rate]{
	Name: "NUMBER/DURATION",
	Parse: func(text string) (core.Rate, error) {
		n, per, ok := strings.Cut(text, "/")
		number, err := strconv.Atoi(strings.TrimSpace(n))
		if !ok || err != nil || number <= 0 {
			return core.Rate{}, errors.New("want a number and a duration, like 1/10mins")
		}
		d, err := stout.ParseDuration(strings.TrimSpace(per))
		if err != nil || d <= 0 {
			return core.Rate{}, errors.New("want a number and a duration, like 1/10mins")
		}
		return core.Rate{N: number, Per: d}, nil
	},
	Format: func(r core.Rate) string { return fmt.Sprintf("%d/%s", r.N, stout.FormatDuration(r.Per)) },
}

var percentKind = flags.Kind[float64]{
	Name: "PERCENTAGE",
	Parse: func(text string) (float64, error) {
		number, ok := strings.CutSuffix(text, "%")
		p, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || !(p >= 0 && p <= 100) {
			return 0, errors.New("want a percentage, like 50%")
		}
		return p, nil
	},
	Format: func(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + "%" },
}

var weightsKind = flags.Kind[[]*mesosv1.WeightInfo]{
	Name: "ROLE=WEIGHT,...",
	Parse: func(text string) ([]*mesosv1.WeightInfo, error) {
		var all []*mesosv1.WeightInfo
		seen := map[string]bool{}
		for pair := range strings.SplitSeq(text, ",") {
			role, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			weight, err := strconv.ParseFloat(value, 64)
			switch {
			case !ok || err != nil || !(weight > 0):
				return nil, errors.New("want weights above 0, like web=2,batch=0.5")
			case resources.ValidateRole(role) != nil || seen[role]:
				return nil, errors.New("want each role once, and by a name that a role may have")
			}
			seen[role] = true
			all = append(all, &mesosv1.WeightInfo{Role: &role, Weight: &weight})
		}
		return all, nil
	},
	Format: func(all []*mesosv1.WeightInfo) string {
		pairs := make([]string, len(all))
		for i, w := range all {
			pairs[i] = w.GetRole() + "=" + strconv.FormatFloat(w.GetWeight(), 'g', -1, 64)
		}
		return strings.Join(pairs, ",")
	},
}

var quantitiesKind = flags.Kind[[]*mesosv1.OfferFilters_ResourceQuantities]{
	Name: "QUANTITIES|...",
	Parse: func(text string) ([]*mesosv1.OfferFilters_ResourceQuantities, error) {
		var all []*mesosv1.OfferFilters_ResourceQuantities
		for part := range strings.SplitSeq(text, "|") {
			if strings.TrimSpace(part) == "" {
				continue
			}
			q, err := resources.ParseQuantities(part)
			if err != nil {
				return nil, errors.New("want quantities, like cpus:0.01|mem:32")
			}
			all = append(all, &mesosv1.OfferFilters_ResourceQuantities{Quantities: q.Message()})
		}
		return all, nil
	},
	Format: func(all []*mesosv1.OfferFilters_ResourceQuantities) string {
		parts := make([]string, len(all))
		for i, q := range all {
			if quantities, err := resources.NewQuantities(q.GetQuantities()); err == nil {
				parts[i] = quantities.String()
			}
		}
		return strings.Join(parts, "|")
	},
}

package slave

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// flagSet are the flags of the agent that do something.
type flagSet struct {
	master *flags.Value[string]

	resources, attributes, defaultRole *flags.Value[string]
	features, domain                   *flags.Value[json.RawMessage]

	registrationBackoff                  *flags.Value[time.Duration]
	credential                           *flags.Value[string]
	authenticationBackoff                *flags.Value[time.Duration]
	authenticationMin, authenticationMax *flags.Value[time.Duration]
	acls, firewall                       *flags.Value[json.RawMessage]
	httpCredentials, jwtKey              *flags.Value[string]
	httpReadOnly, httpReadWrite          *flags.Value[bool]
	httpExecutors                        *flags.Value[bool]

	frameworksHome                                                 *flags.Value[string]
	switchUser, httpCommandExecutor                                *flags.Value[bool]
	executorEnvironment                                            *flags.Value[json.RawMessage]
	executorRegistration, executorReregistration, executorShutdown *flags.Value[time.Duration]
	heartbeat                                                      *flags.Value[time.Duration]
	maxCompletedExecutors                                          *flags.Value[uint64]

	recover, reconfiguration *flags.Value[string]
	recoveryTimeout          *flags.Value[time.Duration]
	strict                   *flags.Value[bool]

	fetcherCacheDir     *flags.Value[string]
	fetcherCacheSize    *flags.Value[stout.Bytes]
	fetcherStallTimeout *flags.Value[time.Duration]
	gcDelay, diskWatch  *flags.Value[time.Duration]
	gcHeadroom          *flags.Value[float64]

	oversubscribedInterval, qosInterval *flags.Value[time.Duration]

	cgroupsFlags
	watchFlags
	namespaceFlags
}

// Declare implements daemon.Core.
func (f *flagSet) Declare(set *flags.Set) {
	f.declareCluster(set.Group("Cluster"))
	f.declareSecurity(set.Group("Who may do what"))
	f.declareContainers(set.Group("Containers and executors"))
	f.declareCgroups(set.Group("Control groups"))
	f.declareWatch(set.Group("What containers take"))
	f.declareRecovery(set.Group("Restart of the agent"))
	f.declareFiles(set.Group("Files"))
	f.declareLending(set.Group("Resources that are lent out"))
	declareUnused(set)
}

func (f *flagSet) declareCluster(g *flags.Group) {
	f.master = g.String("master", "Address of the master: host:port or master@host:port, or a file that holds it (file:///path).",
		flags.Example("10.0.0.1:5050"))
	f.resources = g.String("resources", "What the agent offers: as name(role):value;name(role):value, or as a JSON array of Resource. "+
		"cpus, mem, disk and ports that are not named are found out.", flags.Example("cpus:8;mem:16384;ports:[31000-32000]"))
	f.attributes = g.String("attributes", "What frameworks are told of this machine, as name:value;name:value.", flags.Example("rack:r1;os:linux"))
	f.defaultRole = g.String("default_role", "Role of resources in --resources that name none.", flags.Default("*"))
	f.features = g.JSON("agent_features", "Capabilities to announce instead of all, as SlaveCapabilities in JSON.",
		flags.Example(`{"capabilities":[{"type":"MULTI_ROLE"}]}`), flags.Check(checkFeatures))
	f.domain = g.JSON("domain", "Fault domain of this machine, as DomainInfo in JSON.", flags.Check(func(text json.RawMessage) error {
		return mesosjson.Unmarshal(text, &mesosv1.DomainInfo{})
	}))
	f.registrationBackoff = g.Duration("registration_backoff_factor", "Agents wait a random part of this before they register, "+
		"and of more and more before they try again.", flags.Default("1secs"))
}

func (f *flagSet) declareSecurity(g *flags.Group) {
	f.credential = g.Path("credential", "File with the principal and secret of this agent, in JSON. With it the agent authenticates "+
		"before it registers.", flags.Example("/etc/mesos/credential.json"))
	f.authenticationBackoff = g.Duration("authentication_backoff_factor", "By how much the limit of an attempt to authenticate grows, doubled each time.", flags.Default("1secs"))
	f.authenticationMin = g.Duration("authentication_timeout_min", "Least time that an attempt to authenticate gets.", flags.Default("5secs"))
	f.authenticationMax = g.Duration("authentication_timeout_max", "Most time that an attempt to authenticate gets.", flags.Default("1mins"))
	f.acls = g.JSON("acls", "Access control lists in JSON, for the authorizer local.")
	f.firewall = g.JSON("firewall_rules", "Paths that are answered with 403.", flags.Example(`{"disabled_endpoints": {"paths": ["/files/debug"]}}`),
		flags.Check(func(text json.RawMessage) error {
			_, err := apihttp.FirewallPaths(text)
			return err
		}))
	f.httpCredentials = g.Path("http_credentials", "File with the principals and secrets of HTTP clients, in JSON.")
	f.httpReadOnly = g.Bool("authenticate_http_readonly", "Answer only authenticated clients on routes that change nothing.")
	f.httpReadWrite = g.Bool("authenticate_http_readwrite", "Answer only authenticated clients on the other routes.")
	f.httpExecutors = g.Bool("authenticate_http_executors", "Answer executors only with the token that they were given. Needs --jwt_secret_key.")
	f.jwtKey = g.Path("jwt_secret_key", "File with the key that tokens are signed with.", flags.DeprecatedAlias("executor_secret_key"))
}

func (f *flagSet) declareContainers(g *flags.Group) {
	f.declareNamespaces(g)
	f.frameworksHome = g.Path("frameworks_home", "Folder that relative paths of files to be fetched are below.")
	f.switchUser = g.Bool("switch_user", "Run tasks as the user that their framework or command names.", flags.Default("true"))
	f.httpCommandExecutor = g.Bool("http_command_executor", "Tell the command executor to use HTTP, which ours does in any case.")
	f.executorEnvironment = g.JSON("executor_environment_variables", "Environment that executors begin with, as a JSON object of texts.",
		flags.Example(`{"LANG":"C"}`), flags.Check(func(text json.RawMessage) error {
			_, err := environment(text)
			return err
		}))
	f.executorRegistration = g.Duration("executor_registration_timeout", "Time in which an executor has to subscribe.", flags.Default("1mins"))
	f.executorReregistration = g.Duration("executor_reregistration_timeout", "Time in which executors have to come back after a restart of the agent.",
		flags.Default("2secs"), flags.Between(0, 15*time.Second))
	f.executorShutdown = g.Duration("executor_shutdown_grace_period", "Time that an executor has to end by itself.", flags.Default("5secs"))
	f.heartbeat = g.Duration("http_heartbeat_interval", "Time between heartbeats on streams of a container's output.", flags.Default("30secs"))
	f.maxCompletedExecutors = g.Uint("max_completed_executors_per_framework", "How many executors that have ended are remembered of each framework.", flags.Default("150"))
}

func (f *flagSet) declareRecovery(g *flags.Group) {
	f.recover = g.Choice("recover", "What becomes of the executors of the agent before: reconnect lets them come back, cleanup ends them and then this agent.",
		[]string{"reconnect", "cleanup"}, flags.Default("reconnect"))
	f.recoveryTimeout = g.Duration("recovery_timeout", "How long executors wait for the agent to come back.", flags.Default("15mins"))
	f.strict = g.Bool("strict", "End if something that is written down cannot be read; else it is left out.", flags.Default("true"))
	f.reconfiguration = g.Choice("reconfiguration_policy", "What may have changed since the agent last ran: equal, nothing; additive, it may have more.",
		[]string{"equal", "additive"}, flags.Default("equal"))
}

func (f *flagSet) declareFiles(g *flags.Group) {
	f.fetcherCacheDir = g.Path("fetcher_cache_dir", "Folder of the fetcher's cache.", flags.Default("/tmp/mesos/fetch"))
	f.fetcherCacheSize = g.Bytes("fetcher_cache_size", "How much the fetcher's cache may hold.", flags.Default("2GB"))
	f.fetcherStallTimeout = g.Duration("fetcher_stall_timeout", "A download that gets nothing for this long fails.", flags.Default("1mins"))
	f.gcDelay = g.Duration("gc_delay", "How long sandboxes of executors that have ended are kept, if the disk is empty; the fuller, the shorter.", flags.Default("1weeks"))
	f.gcHeadroom = g.Float("gc_disk_headroom", "Share of the disk that is to be free, between 0 and 1.", flags.Default("0.1"), flags.Between(0.0, 1.0))
	f.diskWatch = g.Duration("disk_watch_interval", "Time between two looks at how full the disk is.", flags.Default("1mins"))
}

func (f *flagSet) declareLending(g *flags.Group) {
	f.oversubscribedInterval = g.Duration("oversubscribed_resources_interval", "Time between two estimates of what can be lent out.", flags.Default("15secs"))
	f.qosInterval = g.Duration("qos_correction_interval_min", "Least time between two looks at who disturbs whom.", flags.Default("0ns"))
}

// optionalFeature is the only capability that an agent may do without.
const optionalFeature = mesosv1.AgentInfo_Capability_RESIZE_VOLUME

// capabilities are those of an agent of this release.
func capabilities() []mesosv1.AgentInfo_Capability_Type {
	return []mesosv1.AgentInfo_Capability_Type{
		mesosv1.AgentInfo_Capability_MULTI_ROLE, mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE,
		mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT, mesosv1.AgentInfo_Capability_RESOURCE_PROVIDER,
		mesosv1.AgentInfo_Capability_RESIZE_VOLUME, mesosv1.AgentInfo_Capability_AGENT_OPERATION_FEEDBACK,
		mesosv1.AgentInfo_Capability_AGENT_DRAINING, mesosv1.AgentInfo_Capability_TASK_RESOURCE_LIMITS,
	}
}

// announced are the capabilities that --agent_features leaves.
func announced(text json.RawMessage) ([]*mesosv1.AgentInfo_Capability, error) {
	named := map[string]bool{}
	if text != nil {
		var given struct {
			Capabilities []struct {
				Type string `json:"type"`
			} `json:"capabilities"`
		}
		if err := json.Unmarshal(text, &given); err != nil {
			return nil, errors.New(`want {"capabilities":[{"type":"..."}]}`)
		}
		for _, c := range given.Capabilities {
			named[c.Type] = true
		}
	}
	var all []*mesosv1.AgentInfo_Capability
	for _, c := range capabilities() {
		switch {
		case text == nil || named[c.String()]:
			all = append(all, &mesosv1.AgentInfo_Capability{Type: c.Enum()})
		case c != optionalFeature:
			return nil, fmt.Errorf("want %v among them: only %v may be missing", c, optionalFeature)
		}
	}
	return all, nil
}

func checkFeatures(text json.RawMessage) error {
	_, err := announced(text)
	return err
}

// environment reads a JSON object of texts, in the order in which it is written.
func environment(text json.RawMessage) ([]*mesosv1.Environment_Variable, error) {
	if text == nil {
		return nil, nil
	}
	bad := errors.New("want a JSON object of texts")
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, bad
	}
	var all []*mesosv1.Environment_Variable
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, bad
		}
		value, err := d.Token()
		if err != nil {
			return nil, bad
		}
		v, ok := value.(string)
		if !ok {
			return nil, bad
		}
		all = append(all, &mesosv1.Environment_Variable{Name: proto.String(name.(string)), Value: proto.String(v)})
	}
	return all, nil
}

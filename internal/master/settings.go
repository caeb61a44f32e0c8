package master

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// settings are the flags as the master takes them.
type settings struct {
	core        core.Config
	options     *allocation.Options
	credentials *mesosv1.Credentials // nil without --credentials
	disabled    []string             // paths
}

// read reads what the flags point to and checks them together. The error holds all
// that is wrong.
func (f *flagSet) read(h daemon.Host) (settings, error) {
	var problems *multierror.Error
	note := func(err error) {
		if err != nil {
			problems = multierror.Append(problems, err)
		}
	}
	note(f.contradictions(h))
	var s settings
	var err error
	s.credentials, err = readCredentials(f.credentials.Get())
	note(err)
	domain := &mesosv1.DomainInfo{}
	note(fromJSON("domain", f.domain, domain))
	if !f.domain.Has() {
		domain = nil
	}
	s.disabled, err = f.disabledPaths()
	note(err)
	s.core = f.coreConfig(masterInfo(h, domain))
	s.options = f.allocation(domain)
	return s, problems.ErrorOrNil()
}

// contradictions are flags that do not go together.
func (f *flagSet) contradictions(h daemon.Host) error {
	var problems *multierror.Error
	refuse := func(wrong bool, text string) {
		if wrong {
			problems = multierror.Append(problems, errors.New(text))
		}
	}
	refuse(h.WorkDir == "" && f.registry.Get() != inMemory, "--work_dir is missing: the registry is kept below it; or choose --registry=in_memory, which is forgotten with the master")
	refuse(f.strict.Get(), "--registry_strict is not possible")
	refuse(f.zk.Has(), "--zk is not possible: masters find their leader with modules, named by --master_contender and --master_detector")
	refuse(f.roleSorter.Get() != f.frameworkSorter.Get(), "--role_sorter and --framework_sorter differ; they have to be the same")
	refuse(h.Given("master_contender") != h.Given("master_detector"), "--master_contender and --master_detector go together; only one is given")
	refuse(f.authenticateHTTPFrameworks.Get() && !h.Given("http_framework_authenticators"),
		"--authenticate_http_frameworks needs --http_framework_authenticators; basic is one")
	refuse(!f.credentials.Has() && !h.Given("http_authenticators") && (f.authenticateReadOnly.Get() || f.authenticateWriting.Get()),
		"--authenticate_http_readonly and --authenticate_http_readwrite need --credentials, or authenticators that need none (--http_authenticators)")
	refuse(!f.credentials.Has() && !h.Given("authenticators") && f.authenticateAgents.Get(),
		"--authenticate_agents needs --credentials, or an authenticator that needs none (--authenticators)")
	return problems.ErrorOrNil()
}

func (f *flagSet) coreConfig(info *mesosv1.MasterInfo) core.Config {
	return core.Config{
		Info: info, Random: newRandom(), Started: time.Now(), HeartbeatInterval: 15 * time.Second,
		AgentPingTimeout: f.pingTimeout.Get(), MaxAgentPingTimeouts: int(f.maxPings.Get()),
		AgentReregisterTimeout: f.reregisterTimeout.Get(), AgentRemovalRate: f.removalRate.Get(),
		RecoveryAgentRemovalLimit: f.recoveryLimit.Get(), OfferTimeout: f.offerTimeout.Get(),
		RegistryGCInterval: f.gcInterval.Get(), RegistryMaxAgentAge: f.maxAgentAge.Get(), RegistryMaxAgentCount: int(f.maxAgentCount.Get()),
		MaxCompletedFrameworks: int(f.maxCompletedFrameworks.Get()), MaxCompletedTasks: int(f.maxCompletedTasks.Get()),
		MaxUnreachableTasks: int(f.maxUnreachableTasks.Get()), MaxOperatorStreams: int(f.maxSubscribers.Get()),
		RootSubmissions: f.rootSubmissions.Get(), Roles: f.whitelistedRoles(), Weights: f.weights.Get(),
		AuthenticateAgents: f.authenticateAgents.Get(), AuthenticateHTTPFrameworks: f.authenticateHTTPFrameworks.Get(),
		PublishPerFrameworkMetrics: f.perFrameworkMetrics.Get(), RequireAgentDomain: f.requireDomain.Get(),
	}
}

func (f *flagSet) whitelistedRoles() []string {
	if !f.roles.Has() {
		return nil
	}
	return append(list(f.roles.Get()), "*")
}

// list reads names that are divided by commas.
func list(text string) []string {
	var all []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

func (f *flagSet) allocation(domain *mesosv1.DomainInfo) *allocation.Options {
	nanoseconds := func(d time.Duration) *mesosv1.DurationInfo {
		return &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(d))}
	}
	return &allocation.Options{
		AllocationInterval:           nanoseconds(f.allocationInterval.Get()),
		FairnessExcludeResourceNames: list(f.excluded.Get()),
		FilterGpuResources:           proto.Bool(f.filterGPU.Get()),
		Domain:                       domain,
		MinAllocatableResources:      f.minAllocatable.Get(),
		MaxCompletedFrameworks:       proto.Uint64(f.maxCompletedFrameworks.Get()),
		PublishPerFrameworkMetrics:   proto.Bool(f.perFrameworkMetrics.Get()),
		RecoveryTimeout:              nanoseconds(f.recoveryTimeout.Get()),
		AgentRecoveryFactor:          proto.Float64(f.recoveryFactor.Get()),
	}
}

// masterInfo is what this master tells of itself.
func masterInfo(h daemon.Host, domain *mesosv1.DomainInfo) *mesosv1.MasterInfo {
	ip, port := h.Advertised.Addr(), int32(h.Advertised.Port())
	var number uint32
	if ip.Is4() {
		b := ip.As4()
		number = binary.LittleEndian.Uint32(b[:]) // network order, as a little-endian host reads it
	}
	return &mesosv1.MasterInfo{
		Id: proto.String(string(newStreamID())), Ip: &number, Port: proto.Uint32(uint32(port)),
		Pid:      proto.String(libprocess.PID{Name: process, Addr: h.Advertised}.String()),
		Hostname: &h.Hostname, Version: &h.Version,
		Address: &mesosv1.Address{Hostname: &h.Hostname, Ip: proto.String(ip.String()), Port: &port},
		Domain:  domain,
		Capabilities: []*mesosv1.MasterInfo_Capability{
			{Type: mesosv1.MasterInfo_Capability_AGENT_UPDATE.Enum()},
			{Type: mesosv1.MasterInfo_Capability_AGENT_DRAINING.Enum()},
			{Type: mesosv1.MasterInfo_Capability_QUOTA_V2.Enum()},
		},
	}
}

// newRandom is a source of chance that nobody can foresee.
func newRandom() *mathrand.Rand {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	return mathrand.New(mathrand.NewChaCha8(seed))
}

// readCredentials reads the file of --credentials.
func readCredentials(path string) (*mesosv1.Credentials, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --credentials: %w", err)
	}
	var c mesosv1.Credentials
	if err := mesosjson.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("read --credentials: %s is no JSON of credentials", path) // the error may quote secrets
	}
	if len(c.GetCredentials()) == 0 {
		return nil, fmt.Errorf("read --credentials: %s holds none", path)
	}
	return &c, nil
}

// worldReadable reports whether everybody may read a file of secrets.
func worldReadable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

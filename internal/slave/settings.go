package slave

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	cryptorand "crypto/rand"

	"github.com/hashicorp/go-multierror"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// settings are the flags as the agent takes them.
type settings struct {
	core            core.Config
	credential      *mesosv1.Credential // nil without --credential
	httpCredentials *mesosv1.Credentials
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
	s := settings{}
	var err error
	s.credential, err = readCredential(f.credential.Get())
	note(err)
	s.httpCredentials, err = readCredentials(f.httpCredentials.Get())
	note(err)
	_, err = readKey(f.jwtKey.Get()) // modules are told what it holds
	note(err)
	if h.WorkDir != "" {
		s.core, err = f.coreConfig(h)
		note(err)
	}
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
	refuse(h.WorkDir == "", "--work_dir is missing: sandboxes and what the agent writes down are below it")
	refuse(!f.master.Has() && !h.Given("master_detector"), "--master is missing: it says where the master is; or name a module that finds it with --master_detector")
	refuse(f.master.Has() && h.Given("master_detector"), "--master and --master_detector exclude each other")
	refuse(strings.HasPrefix(f.master.Get(), "zk://"), "--master=zk://... is not possible: name a module that asks ZooKeeper with --master_detector")
	refuse(f.httpExecutors.Get() && !f.jwtKey.Has() && !(h.Given("http_authenticators") && h.Given("secret_generator")),
		"--authenticate_http_executors needs --jwt_secret_key, or modules that need none (--http_authenticators and --secret_generator)")
	refuse(!f.httpCredentials.Has() && !h.Given("http_authenticators") && (f.httpReadOnly.Get() || f.httpReadWrite.Get()),
		"--authenticate_http_readonly and --authenticate_http_readwrite need --http_credentials, or authenticators that need none (--http_authenticators)")
	return problems.ErrorOrNil()
}

func (f *flagSet) coreConfig(h daemon.Host) (core.Config, error) {
	info, err := f.agentInfo(h)
	if err != nil {
		return core.Config{}, err
	}
	features, err := announced(f.features.Get())
	if err != nil {
		return core.Config{}, err
	}
	variables, err := environment(f.executorEnvironment.Get())
	if err != nil {
		return core.Config{}, err
	}
	launcherDir, err := f.launcherFolder()
	if err != nil {
		return core.Config{}, err
	}
	work, err := filepath.Abs(h.WorkDir)
	if err != nil {
		return core.Config{}, fmt.Errorf("--work_dir: %w", err)
	}
	c := core.Config{
		Info: info, Version: h.Version, PID: libprocess.PID{Name: Process, Addr: h.Advertised},
		Random: newRandom(), Started: time.Now(), WorkDir: work, LauncherDir: launcherDir,
		SandboxIn: f.sandboxDirectory.Get(), SwitchUser: f.switchUser.Get(),
		RegistrationBackoff: f.registrationBackoff.Get(), ExecutorRegistrationTimeout: f.executorRegistration.Get(),
		ExecutorReregistration: f.executorReregistration.Get(), ExecutorShutdownGrace: f.executorShutdown.Get(),
		RecoveryTimeout: f.recoveryTimeout.Get(), ExecutorEnvironment: variables,
		HTTPCommandExecutor: f.httpCommandExecutor.Get(), AuthenticateHTTPExecutors: f.httpExecutors.Get(),
		Credential: f.credential.Has(), AuthenticationBackoff: f.authenticationBackoff.Get(),
		AuthenticationTimeoutMin: f.authenticationMin.Get(), AuthenticationTimeoutMax: f.authenticationMax.Get(),
		Reconfiguration: f.reconfiguration.Get(), Cleanup: f.recover.Get() == "cleanup", Strict: f.strict.Get(),
		Features: features, MaxCompletedExecutors: int(f.maxCompletedExecutors.Get()),
		LibprocessIP: h.Env("LIBPROCESS_IP"),
	}
	if me, err := user.Current(); err == nil {
		c.DefaultUser = me.Username
	}
	return c, nil
}

// agentInfo is what the agent tells of itself.
func (f *flagSet) agentInfo(h daemon.Host) (*mesosv1.AgentInfo, error) {
	var problems *multierror.Error
	info := &mesosv1.AgentInfo{Hostname: proto.String(h.Hostname), Port: proto.Int32(int32(h.Advertised.Port()))}
	m, err := lookAround(h.WorkDir)
	if err != nil {
		problems = multierror.Append(problems, err)
	} else if info.Resources, err = resourcesOf(f.resources.Get(), f.defaultRole.Get(), m); err != nil {
		problems = multierror.Append(problems, err)
	}
	if info.Attributes, err = resources.ParseAttributes(f.attributes.Get()); err != nil {
		problems = multierror.Append(problems, fmt.Errorf("--attributes: %w", err))
	}
	if f.domain.Has() {
		info.Domain = &mesosv1.DomainInfo{}
		if err := mesosjson.Unmarshal(f.domain.Get(), info.Domain); err != nil {
			problems = multierror.Append(problems, fmt.Errorf("--domain: %w", err))
		}
	}
	return info, problems.ErrorOrNil()
}

// launcherFolder is where the programs are that the agent starts.
func (f *flagSet) launcherFolder() (string, error) {
	if f.launcherDir.Has() {
		return filepath.Abs(f.launcherDir.Get())
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the folder of this program: %w; name it with --launcher_dir", err)
	}
	return filepath.Dir(self), nil
}

// runtimeFolder is where it is kept which containers run.
func (f *flagSet) runtimeFolder() string {
	if f.runtimeDir.Has() {
		return f.runtimeDir.Get()
	}
	const host = "/var/run"
	if probe, err := os.MkdirTemp(host, "mesos-"); err == nil {
		_ = os.Remove(probe) // empty, and made here
		return filepath.Join(host, "mesos")
	}
	return filepath.Join(os.TempDir(), "mesos", "runtime")
}

func newRandom() *rand.Rand {
	var seed [32]byte
	_, _ = cryptorand.Read(seed[:]) // never fails
	return rand.New(rand.NewChaCha8(seed))
}

// readKey reads the file of --jwt_secret_key. The line end at its end is not part of the
// key.
func readKey(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --jwt_secret_key: %w", err)
	}
	key = bytes.TrimRight(key, "\r\n")
	if len(key) == 0 {
		return nil, fmt.Errorf("read --jwt_secret_key: %s is empty", path)
	}
	return key, nil
}

// readCredential reads the file of --credential.
func readCredential(path string) (*mesosv1.Credential, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --credential: %w", err)
	}
	c := &mesosv1.Credential{}
	if err := mesosjson.Unmarshal(text, c); err != nil || c.GetPrincipal() == "" {
		return nil, fmt.Errorf("read --credential: %s is no JSON object of principal and secret", path) // the error may quote the secret
	}
	return c, nil
}

// readCredentials reads the file of --http_credentials.
func readCredentials(path string) (*mesosv1.Credentials, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --http_credentials: %w", err)
	}
	c := &mesosv1.Credentials{}
	if err := mesosjson.Unmarshal(text, c); err != nil || len(c.GetCredentials()) == 0 {
		return nil, fmt.Errorf("read --http_credentials: %s is no JSON of credentials, or holds none", path)
	}
	return c, nil
}

// realmParameters are what an HTTP authenticator of a realm is told.
func (s *settings) realmParameters(realm string) facade.Parameters {
	type credential struct {
		Principal string `json:"principal"`
		Secret    string `json:"secret"`
	}
	all := []credential{}
	for _, c := range s.httpCredentials.GetCredentials() {
		all = append(all, credential{c.GetPrincipal(), c.GetSecret()})
	}
	text, _ := json.Marshal(all) // texts only
	return facade.Parameters{{Key: "authentication_realm", Value: realm}, {Key: "credentials", Value: string(text)}}
}

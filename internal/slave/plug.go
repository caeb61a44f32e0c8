package slave

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/fetcher"
	"github.com/mesos-modules/mms/internal/slave/gc"
	"github.com/mesos-modules/mms/internal/slave/operator"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/modules/authorizer/local"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate"
	"github.com/mesos-modules/mms/modules/httpauthenticator/basic"
	tokens "github.com/mesos-modules/mms/modules/httpauthenticator/jwt"
	"github.com/mesos-modules/mms/modules/isolator/filesystemposix"
	detector "github.com/mesos-modules/mms/modules/masterdetector/standalone"
	"github.com/mesos-modules/mms/modules/secretgenerator/jwt"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authorizer"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
	"github.com/mesos-modules/mms/roles/isolator"
	"github.com/mesos-modules/mms/roles/masterdetector"
	"github.com/mesos-modules/mms/roles/qoscontroller"
	"github.com/mesos-modules/mms/roles/resourceestimator"
	"github.com/mesos-modules/mms/roles/secretgenerator"
)

// Plug is the agent as a part of the program.
type Plug struct {
	flagSet
	settings settings
}

// runcContainerizer is a module that the daemon is not built with.
const runcContainerizer = "org_apache_mesos_RuncContainerizer"

// Parameters implements daemon.Parameterised.
func (p *Plug) Parameters(workDir string) map[string]facade.Parameters {
	given := map[string]facade.Parameters{
		detector.Name: {{Key: "master", Value: p.master.Get()}},
		basic.Name:    {{Key: "authentication_realm", Value: readWriteRealm}}, // each realm's own instance is told its name
	}
	maps.Copy(given, p.parametersOfCgroups())
	maps.Copy(given, p.parametersOfWatch(workDir, p.resources.Get()))
	maps.Copy(given, p.parametersOfNamespaces(p.runtimeFolder(), workDir))
	given[runcContainerizer] = facade.Parameters{{Key: "sandbox_directory", Value: p.sandboxDirectory.Get()}}
	if p.launcherDir.Has() {
		launcher := facade.Parameter{Key: "launcher_dir", Value: p.launcherDir.Get()}
		given[logrotate.Name] = facade.Parameters{launcher}
		given[runcContainerizer] = append(given[runcContainerizer], launcher)
	}
	if workDir != "" {
		given[filesystemposix.Name] = facade.Parameters{{Key: "work_dir", Value: workDir}}
	}
	if p.acls.Has() {
		given[local.Name] = facade.Parameters{{Key: "acls", Value: string(p.acls.Get())}}
	}
	if key, err := readKey(p.jwtKey.Get()); err == nil && len(key) > 0 { // Check reports what is wrong with it
		for _, name := range []string{jwt.Name, tokens.Name} {
			given[name] = facade.Parameters{{Key: "key", Value: string(key)}}
		}
	}
	return given
}

// Defaults implements daemon.Defaulting: executors that have to authenticate bring tokens.
func (p *Plug) Defaults() map[string][]string {
	if !p.httpExecutors.Get() {
		return nil
	}
	return map[string][]string{"http_authenticators": {"basic", "jwt"}}
}

// Check implements daemon.Core.
func (p *Plug) Check(h daemon.Host) error {
	var err error
	p.settings, err = p.read(h)
	return err
}

// Options implements daemon.Core.
func (p *Plug) Options(h daemon.Host) fx.Option {
	return fx.Provide(
		func(lc fx.Lifecycle, s sites) *running { return p.build(lc, h, s) },
		func(r *running) daemon.Routes { return r.routes },
	)
}

// sites are the handles that the agent takes.
type sites struct {
	fx.In

	Manager        *manager.Manager
	Detector       masterdetector.MasterDetector
	Authenticatee  manager.Factory[authenticatee.Authenticatee]
	Authorizer     authorizer.Authorizer
	Hooks          []hook.Hook
	Containerizers []containerizer.Containerizer
	Isolators      []isolator.Isolator
	Logger         manager.Factory[containerlogger.ContainerLogger]
	Secrets        secretgenerator.SecretGenerator
	Estimator      resourceestimator.ResourceEstimator
	QoS            qoscontroller.QoSController
	HTTP           []manager.Factory[httpauthenticator.HttpAuthenticator]
}

// running is the agent that has been started, and what answers requests for it.
type running struct {
	plug      *Plug
	host      daemon.Host
	sites     sites
	slave     *Slave
	operator  *operator.Operator
	files     files.Files
	fetcher   *fetcher.Fetcher
	collector *gc.Collector
	handler   atomic.Pointer[http.Handler]
	next      http.Handler
}

// build lays the agent out; it is made and started with the app, because hooks are
// asked for its resources first.
func (p *Plug) build(lc fx.Lifecycle, h daemon.Host, s sites) *running {
	r := &running{plug: p, host: h, sites: s}
	lc.Append(fx.Hook{OnStart: r.start, OnStop: r.stop})
	return r
}

// routes puts the agent before what is answered otherwise.
func (r *running) routes(face http.Handler) http.Handler {
	r.next = face
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if handler := r.handler.Load(); handler != nil {
			(*handler).ServeHTTP(w, q)
			return
		}
		face.ServeHTTP(w, q)
	})
}

func (r *running) start(ctx context.Context) error {
	cfg, err := r.config(ctx)
	if err != nil {
		return err
	}
	realms, err := r.authenticators(ctx)
	if err != nil {
		return err
	}
	var disabled []string
	if r.plug.firewall.Has() {
		if disabled, err = apihttp.FirewallPaths(r.plug.firewall.Get()); err != nil {
			return fmt.Errorf("--firewall_rules: %w", err)
		}
	}
	if cfg.Store, err = checkpoint.Open(cfg.Core.WorkDir); err != nil {
		return err
	}
	if r.host.LogFile != "" {
		r.files.Attach("/slave/log", r.host.LogFile, r.access(authorization.Action_ACCESS_MESOS_LOG, nil))
	}
	r.slave = New(cfg)
	r.renewable()
	r.operator = r.tools(cfg)
	if err := r.slave.Start(ctx); err != nil {
		r.slave = nil
		return errors.Join(err, cfg.Store.Close())
	}
	handler := r.slave.Handler(realms, slices.Concat(r.operator.Routes(), r.files.Routes(apihttp.RealmReadOnly)), r.next)
	handler = apihttp.Firewall(disabled, handler)
	r.handler.Store(&handler)
	return nil
}

func (r *running) stop(ctx context.Context) error {
	if r.slave == nil {
		return nil
	}
	err := r.slave.Stop(ctx)
	r.operator.Wait(ctx)
	r.fetcher.Close()
	return err
}

// config is what the agent is made of.
func (r *running) config(ctx context.Context) (Config, error) {
	p, s := r.plug, r.sites
	c := Config{
		Core: p.settings.core, Log: r.host.Log, Address: r.host.Advertised, Stopping: r.host.Stopping, Fail: r.host.Fail,
		Detector: s.Detector, Authenticatee: s.Authenticatee, Credential: p.settings.credential, Hooks: s.Hooks,
		Secrets: s.Secrets, Estimator: s.Estimator, EstimatorEvery: p.oversubscribedInterval.Get(),
		QoS: s.QoS, QoSEvery: p.qosInterval.Get(),
	}
	c.Core.Hooks = len(s.Hooks) > 0
	c.Core.Info = decorateAgent(ctx, r.host.Log, s.Hooks, c.Core.Info)
	var err error
	r.collector, err = gc.New(gc.Config{
		Folder: c.Core.WorkDir, Delay: p.gcDelay.Get(), Headroom: p.gcHeadroom.Get(), Interval: p.diskWatch.Get(), Log: r.host.Log,
	})
	if err != nil {
		return Config{}, err
	}
	kept := &leftovers{collector: r.collector, files: &r.files, log: r.host.Log, allowed: r.toSandbox}
	c.Garbage, c.Sandboxes, c.Background = kept, kept, []func(context.Context){r.collector.Run}
	r.fetcher, err = fetcher.New(fetcher.Config{
		CacheDir: p.fetcherCacheDir.Get(), CacheSize: int64(p.fetcherCacheSize.Get()), FrameworksHome: p.frameworksHome.Get(),
		StallTimeout: p.fetcherStallTimeout.Get(), Log: r.host.Log,
	})
	if err != nil {
		return Config{}, err
	}
	service := containers.Config{
		Fetch: func(ctx context.Context, q containers.FetchRequest) error {
			return r.fetcher.Fetch(ctx, fetcher.Request(q))
		},
		Hooks: s.Hooks, SandboxDirectory: p.sandboxDirectory.Get(), SwitchUser: p.switchUser.Get(), Log: r.host.Log,
	}
	for i, one := range s.Containerizers {
		logger, _, err := s.Logger(ctx, nil) // teardown closes it
		if err != nil {
			return Config{}, fmt.Errorf("make a container logger: %w", err)
		}
		service.Engines = append(service.Engines, containers.Engine{Name: fmt.Sprintf("containerizer %d of --containerizers", i+1), Containerizer: one, Logger: logger})
	}
	for i, one := range s.Isolators {
		service.Isolators = append(service.Isolators, containers.Isolator{Name: fmt.Sprintf("isolator %d of --isolation", i+1), Isolator: one})
	}
	c.Containers = containers.New(service)
	return c, nil
}

// The names of the realms, as in Apache Mesos.
const (
	readOnlyRealm  = "mesos-agent-readonly"
	readWriteRealm = "mesos-agent-readwrite"
	executorsRealm = "mesos-agent-executor"
)

// authenticators makes those of the realms that want any.
func (r *running) authenticators(ctx context.Context) (apihttp.Realms, error) {
	p, realms := r.plug, apihttp.Realms{}
	for _, realm := range []struct {
		realm  apihttp.Realm
		name   string
		wanted bool
	}{
		{apihttp.RealmReadOnly, readOnlyRealm, p.httpReadOnly.Get()},
		{apihttp.RealmReadWrite, readWriteRealm, p.httpReadWrite.Get()},
		{apihttp.RealmExecutors, executorsRealm, p.httpExecutors.Get()},
	} {
		if !realm.wanted {
			continue
		}
		var made []httpauthenticator.HttpAuthenticator
		for _, factory := range r.sites.HTTP {
			a, _, err := factory(ctx, p.settings.realmParameters(realm.name)) // teardown closes it
			if err != nil {
				return nil, fmt.Errorf("make an HTTP authenticator for the realm %s: %w", realm.name, err)
			}
			made = append(made, a)
		}
		realms[realm.realm] = apihttp.Modules(r.host.Log, made...)
	}
	return realms, nil
}

package master

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/registry"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/modules/authorizer/local"
	"github.com/mesos-modules/mms/modules/httpauthenticator/basic"
	"github.com/mesos-modules/mms/roles/allocator"
	"github.com/mesos-modules/mms/roles/authenticator"
	"github.com/mesos-modules/mms/roles/authorizer"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
	"github.com/mesos-modules/mms/roles/mastercontender"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// Plug is the master as a part of the program.
type Plug struct {
	flagSet
	settings settings
}

// Parameters implements daemon.Parameterised.
func (p *Plug) Parameters(string) map[string]facade.Parameters {
	given := map[string]facade.Parameters{
		hierarchical.Name: {{Key: "role_sorter", Value: p.roleSorter.Get()}, {Key: "framework_sorter", Value: p.frameworkSorter.Get()}},
		basic.Name:        {{Key: "authentication_realm", Value: readWriteRealm}}, // each realm's own instance is told its name
	}
	if p.acls.Has() {
		given[local.Name] = facade.Parameters{{Key: "acls", Value: string(p.acls.Get())}}
	}
	return given
}

// Check implements daemon.Core.
func (p *Plug) Check(h daemon.Host) error {
	var err error
	p.settings, err = p.read(h)
	if err == nil && p.credentials.Has() && worldReadable(p.credentials.Get()) {
		h.Log.Warn("everybody may read the file of --credentials", "path", p.credentials.Get())
	}
	return err
}

// Options implements daemon.Core.
func (p *Plug) Options(h daemon.Host) fx.Option {
	return fx.Provide(
		func(lc fx.Lifecycle, s sites) (*Master, apihttp.Realms) { return p.build(lc, h, s) },
		func(m *Master, realms apihttp.Realms) daemon.Routes {
			return func(face http.Handler) http.Handler { return m.routes(h, realms, p.settings.disabled, face) }
		},
	)
}

// sites are the handles that the master takes.
type sites struct {
	fx.In

	Manager       *manager.Manager
	Allocator     allocator.Allocator
	Authenticator authenticator.Authenticator
	Authorizer    authorizer.Authorizer
	Hooks         []hook.Hook
	Contender     mastercontender.MasterContender
	Detector      masterdetector.MasterDetector

	HTTP       []manager.Factory[httpauthenticator.HttpAuthenticator]
	Frameworks []manager.Factory[httpauthenticator.HttpAuthenticator] `name:"frameworks"`
}

// build lays the master out; it is started with the app.
func (p *Plug) build(lc fx.Lifecycle, h daemon.Host, s sites) (*Master, apihttp.Realms) {
	c := Config{
		Core: p.settings.core, Self: h.Advertised, Log: h.Log, Stopping: h.Stopping, Fail: h.Fail,
		FetchTimeout: p.fetchTimeout.Get(), StoreTimeout: p.storeTimeout.Get(),
		Allocator: s.Allocator, Options: p.settings.options, Hooks: s.Hooks, Authorizer: s.Authorizer,
		Contender: s.Contender, Detector: s.Detector,
		Authenticator: s.Authenticator, Credentials: p.settings.credentials, AuthenticationTimeout: p.authenticationTimeout.Get(),
		Whitelist: p.whitelist.Get(), Flags: h.Flags, Verbosity: h.Verbosity,
		Sender: libprocess.New(libprocess.Options{Log: h.Log}),
	}
	c.Core.Authorize = p.acls.Has() || h.Given("authorizers")
	c.Core.Hooks = len(s.Hooks) > 0
	m, realms := New(c), apihttp.Realms{}
	m.renewable(s.Manager)
	if h.LogFile != "" {
		m.files.Attach("/master/log", h.LogFile, m.mayReadLog)
	}
	var kept *registry.Registrar
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			if err := p.authenticate(ctx, h, s, realms); err != nil {
				return err
			}
			var err error
			if kept, err = p.openRegistry(h); err != nil {
				return err
			}
			m.c.Registry = kept
			if err := m.Start(ctx); err != nil {
				undo := context.WithoutCancel(ctx)
				return errors.Join(err, m.Stop(undo), kept.Close(undo))
			}
			return nil
		},
		OnStop: func(ctx context.Context) error {
			return errors.Join(m.Stop(ctx), kept.Close(ctx))
		},
	})
	return m, realms
}

func (p *Plug) openRegistry(h daemon.Host) (*registry.Registrar, error) {
	if p.registry.Get() == inMemory {
		return registry.InMemory(), nil
	}
	return registry.Open(h.WorkDir)
}

// The names of the realms, as in Apache Mesos.
const (
	readOnlyRealm   = "mesos-master-readonly"
	readWriteRealm  = "mesos-master-readwrite"
	frameworksRealm = "mesos-master-scheduler"
)

// authenticate makes the authenticators of the realms that want any.
func (p *Plug) authenticate(ctx context.Context, h daemon.Host, s sites, realms apihttp.Realms) error {
	for _, realm := range []struct {
		realm     apihttp.Realm
		name      string
		wanted    bool
		factories []manager.Factory[httpauthenticator.HttpAuthenticator]
	}{
		{apihttp.RealmReadOnly, readOnlyRealm, p.authenticateReadOnly.Get(), s.HTTP},
		{apihttp.RealmReadWrite, readWriteRealm, p.authenticateWriting.Get(), s.HTTP},
		{apihttp.RealmFrameworks, frameworksRealm, p.authenticateHTTPFrameworks.Get(), s.Frameworks},
	} {
		if !realm.wanted {
			continue
		}
		var made []httpauthenticator.HttpAuthenticator
		for _, factory := range realm.factories {
			a, _, err := factory(ctx, p.realmParameters(realm.name)) // teardown closes it
			if err != nil {
				return fmt.Errorf("make an HTTP authenticator for the realm %s: %w", realm.name, err)
			}
			made = append(made, a)
		}
		realms[realm.realm] = apihttp.Modules(h.Log, made...)
	}
	return nil
}

// realmParameters are what an HTTP authenticator of a realm is told.
func (p *Plug) realmParameters(realm string) facade.Parameters {
	type credential struct {
		Principal string `json:"principal"`
		Secret    string `json:"secret"`
	}
	all := []credential{}
	for _, c := range p.settings.credentials.GetCredentials() {
		all = append(all, credential{c.GetPrincipal(), c.GetSecret()})
	}
	text, _ := json.Marshal(all) // strings only
	return facade.Parameters{{Key: "authentication_realm", Value: realm}, {Key: "credentials", Value: string(text)}}
}

package master

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/registry"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/allocator"
	"github.com/mesos-modules/mms/roles/authenticator"
	"github.com/mesos-modules/mms/roles/authorizer"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/mastercontender"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// Config is what a running master consists of.
type Config struct {
	Core core.Config
	Self netip.AddrPort // where others reach this master

	Log      *slog.Logger
	Stopping context.Context // ends streams, when the daemon begins to stop
	Fail     func(error)     // ends the daemon

	Registry                   Registry
	FetchTimeout, StoreTimeout time.Duration // of the registry; past them the master ends

	Allocator allocator.Allocator
	Options   *allocation.Options
	Hooks     []hook.Hook
	Contender mastercontender.MasterContender
	Detector  masterdetector.MasterDetector

	// Authorizer is asked where Core.Authorize says so.
	Authorizer authorizer.Authorizer

	// Authenticator makes handshakes with agents; nil: there are none.
	Authenticator         authenticator.Authenticator
	Credentials           *mesosv1.Credentials
	AuthenticationTimeout time.Duration

	// Whitelist is a file with the hosts whose agents may be offered; empty: all.
	Whitelist string

	Flags     func() []flags.NameValue // as /flags lists them
	Verbosity Verbosity
	Sender    *libprocess.Sender
}

// Verbosity is how much is logged: *daemon.Verbosity.
type Verbosity interface {
	Level() uint32
	Set(level uint32, lasts time.Duration)
}

// Registry is what must outlive the master. Its calls come one at a time and may
// take their time.
type Registry interface {
	// Recover reads the registry and adds this master to it. It is called once,
	// first.
	Recover(ctx context.Context, self *mesosv1.MasterInfo) (*wire.Registry, error)

	// Apply makes all changes in one step that is safe when it returns, and says of
	// each whether it could be made. An error means that none was, or that nobody
	// knows.
	Apply(ctx context.Context, changes []core.RegistryChange) ([]error, error)

	// Measures are its numbers for /metrics/snapshot.
	Measures() []registry.Measure
}

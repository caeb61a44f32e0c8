package execute

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/user"
	"syscall"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/v1client"
	"github.com/mesos-modules/mms/modules/httpauthenticatee/basic"
)

// Options are what a process gives to the program.
type Options struct {
	Args           []string // without the program's name
	Version        string   // of Mesos
	Stdout, Stderr io.Writer

	// Signals ask to kill the task; the second one leaves at once. The caller chooses which signals get here.
	Signals <-chan os.Signal
}

// Run is the program. It returns the exit status; nothing it began is left then.
func Run(ctx context.Context, o Options) int {
	f := newFlags()
	notices, err := f.set.Parse(o.Args, nil)
	screen := newScreen(o.Stdout, o.Stderr, f.quiet.Get())
	switch {
	case f.set.Help.Get():
		screen.write(o.Stdout, []byte(f.usage()))
		return exitOK
	case f.set.Version.Get():
		screen.write(o.Stdout, []byte("mesos "+o.Version+"\n"))
		return exitOK
	case err != nil:
		screen.warn("%v", err)
		return exitFailed
	}
	for _, notice := range notices {
		screen.warn("%v", notice)
	}
	w, err := f.work()
	if err != nil {
		screen.warn("%v\nSee mesos-execute --help.", err)
		return exitFailed
	}
	s, err := newScheduler(f, w, screen)
	if err != nil {
		screen.warn("%v", err)
		return exitFailed
	}
	return s.run(ctx, o.Signals)
}

// framework is how the program presents itself to the master.
func (f *flagSet) framework() *mesosv1.FrameworkInfo {
	types := []mesosv1.FrameworkInfo_Capability_Type{
		mesosv1.FrameworkInfo_Capability_RESERVATION_REFINEMENT,
		mesosv1.FrameworkInfo_Capability_TASK_KILLING_STATE,
		mesosv1.FrameworkInfo_Capability_REVOCABLE_RESOURCES,
	}
	if f.partitionAware.Get() {
		types = append(types, mesosv1.FrameworkInfo_Capability_PARTITION_AWARE)
	}
	if f.capabilities.Get() == gpuResources {
		types = append(types, mesosv1.FrameworkInfo_Capability_GPU_RESOURCES)
	}
	info := &mesosv1.FrameworkInfo{
		User: proto.String(userName()), Name: proto.String("mesos-execute instance"),
		Role: proto.String(f.role.Get()), Checkpoint: proto.Bool(f.checkpoint.Get()),
	}
	for _, t := range types {
		info.Capabilities = append(info.Capabilities, &mesosv1.FrameworkInfo_Capability{Type: t.Enum()})
	}
	if f.principal.IsSet() {
		info.Principal = proto.String(f.principal.Get())
	}
	return info
}

// userName is who runs the program, and so whom the task runs as.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

// authentication adds the credential of the flags to requests; nil without one.
func (f *flagSet) authentication() func(*http.Request) error {
	if !f.principal.IsSet() {
		return nil
	}
	credential := &mesosv1.Credential{Principal: proto.String(f.principal.Get())}
	if f.secret.IsSet() {
		credential.Secret = proto.String(f.secret.Get())
	}
	return authenticateBy(basic.New(), credential)
}

// explain adds to an error what the user can do about it.
func explain(err error) error {
	var status *v1client.StatusError
	if errors.As(err, &status) {
		switch status.Code {
		case http.StatusUnauthorized:
			return &hint{err, "the cluster wants to know who you are: give --principal and --secret"}
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			return &hint{err, "is a Mesos master at this address? An agent's is another one"}
		}
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return &hint{err, "nobody listens there; is --master right?"}
	}
	return err
}

// hint is an error and what can be done about it.
type hint struct {
	err  error
	text string
}

func (h *hint) Error() string { return h.err.Error() + "\n  " + h.text }
func (h *hint) Unwrap() error { return h.err }

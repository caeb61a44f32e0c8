package native

import (
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/entered"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/ldso"
)

// Vehicle recognises and opens native libraries. It keeps what it has read of
// system libraries. Safe for concurrent use.
type Vehicle struct {
	resolver *ldso.Resolver
	runtimes runtimes

	// wrap makes a native object into a value that implements the role's Go
	// interface.
	wrap func(role string, object uintptr) (any, error)
}

// New makes the vehicle for libraries of the machine that this process runs on.
func New() *Vehicle {
	return &Vehicle{resolver: ldso.New(image.Host(), os.Getenv("LD_LIBRARY_PATH")), wrap: bridge.Wrap}
}

// Name implements vehicle.Vehicle.
func (*Vehicle) Name() string { return vehicle.Native }

// PlainSignals gives the signals of broken code (SIGSEGV, SIGBUS, SIGFPE, SIGILL,
// SIGABRT, SIGTRAP) their default effect, which ends the process and tells the
// parent by which. It is for the trial child; Go's handlers would turn them into
// exit status 2. The result undoes it.
func PlainSignals() (restore func()) { return entered.PlainSignals() }

// Alone says that this process carries a single library, for a parent that watches it:
// a signal inside native code then ends it by that signal, after a line on standard error
// that names the module. It cannot be undone.
func (*Vehicle) Alone() { entered.Alone() }

// printable makes text from a library or the loader fit for one line of a log.
func printable(text string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == utf8.RuneError {
			return ' '
		}
		return c
	}, text))
}

func label(step, module, path string) string {
	return fmt.Sprintf("%s of module %s, library %s", step, module, path)
}

package daemon

import (
	"fmt"

	"github.com/mesos-modules/mms/roles"
)

// helpWidth is fixed, so that the same daemon always says the same.
const helpWidth = 100

// usage is the text of --help.
func (f *flagSet) usage(o Options) string {
	binding := "--allocator=module1 --auth=module2"
	if o.Daemon == roles.Slave {
		binding = "--isolation=module1 --auth=module2"
	}
	return f.set.Usage(helpWidth) + fmt.Sprintf(`
EXAMPLES
  Load one module and bind it:
      %[1]v --modules=/opt/libcalc.so:example --calculator=example
  Two libraries, in the short form, bound by flags:
      %[1]v --modules="/root/path1:module1,/root/path2:module2" %[2]s
  Parameters and limits need the JSON form:
      %[1]v --modules='{"libraries": [{"file": "/opt/libcalc.so", "modules": [{"name": "example",
          "parameters": [{"key": "unit", "value": "ms"}], "limits": {"create": "5secs"}}]}]}'
  See what a set of modules would do, without making any of them:
      %[1]v --modules=file:///etc/mesos/modules.json --verify-only --format=json

SIGNALS
  SIGTERM, SIGINT and SIGHUP stop the daemon: no more requests, modules are unbound, closed in
  reverse order, each within its limits, and a report is printed. A second signal ends it at once.

EXIT STATUS
  %[3]d    stopped as asked, and everything was given back; or nothing was found
  %[4]d    wrong flags
  %[5]d    verification holds something against the modules; the report says what
  %[6]d    could not start, for another reason
  %[7]d    stopped, and a module or library could not be given back
  %[8]d    stopped by itself, because it must not go on; its last words say why
  130  ended at once by a second SIGINT; 143 by SIGTERM, 129 by SIGHUP
  A crash in native code ends the daemon with 2 as well; its last words name the module.
`, o.Daemon, binding, ExitOK, ExitUsage, ExitFindings, ExitStart, ExitTeardown, ExitFailed)
}

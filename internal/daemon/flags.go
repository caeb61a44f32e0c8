package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// flagSet is every flag of a daemon.
type flagSet struct {
	set *flags.Set

	ip, hostname, addressFile *flags.Value[string]
	port                      *flags.Value[uint16]
	workDir                   *flags.Value[string]
	network                   network

	modules, modulesDir, modulesPath   *flags.Value[string]
	modulesIsolation                   *flags.Value[string]
	relaxedModules, allowWorldWritable *flags.Value[bool]

	openLimit, checkLimit, createLimit, drainLimit, closeLimit *flags.Value[time.Duration]

	bindings []binding

	verifyOnly     *flags.Value[bool]
	report, format *flags.Value[string]
	loggingLevel   *flags.Value[string]
	quiet          *flags.Value[bool]
	logDir         *flags.Value[string]

	externalLogFile *flags.Value[string]
}

// binding is a flag that binds modules to a site.
type binding struct {
	flag  string
	value *flags.Value[[]manifest.Ref]
}

// logging levels, as upstream calls them.
const (
	debugLevel   = "DEBUG"
	infoLevel    = "INFO"
	warningLevel = "WARNING"
	errorLevel   = "ERROR"
)

const (
	textFormat = "text"
	jsonFormat = "json"
)

// about is what a daemon does, in a sentence.
func about(d roles.Daemon) string {
	if d == roles.Master {
		return "Leads a cluster: takes agents in, makes offers to frameworks, and keeps the books of their tasks."
	}
	return "Is the agent of one host: registers with the master and runs the tasks it is given."
}

// declare makes the flags of a daemon.
func declare(o Options) *flagSet {
	f := &flagSet{set: flags.New(flags.Config{
		Program: o.Daemon.String(),
		Prefix:  "MESOS_",
		About: about(o.Daemon) + " What it works with are modules: it loads them, from dynamic libraries too, verifies the whole set " +
			"before any of them is made, binds them to the places that the flags name, and takes everything back when it stops.",
	})}
	f.declareNetwork(o)
	f.declareModules()
	f.declareLimits()
	f.declareBindings(o)
	f.declareOutput()
	if o.Core != nil {
		o.Core.Declare(f.set)
	}
	return f
}

func (f *flagSet) declareNetwork(o Options) {
	port := "5050"
	if o.Daemon == roles.Slave {
		port = "5051"
	}
	g := f.set.Group("Network and state")
	f.ip = g.String("ip", "IP address to listen on. Without it the daemon listens on all.", flags.Example("127.0.0.1"),
		flags.Check(isIP))
	f.port = g.Port("port", "Port to listen on; 0 lets the system choose one.", flags.Default(port))
	f.hostname = g.String("hostname", "Name under which others reach this host. Without it the system's host name is used.")
	f.addressFile = g.Path("address_file", "File that is given the address, as HOST:PORT and a line end, as soon as the daemon answers there. "+
		"It is removed when the daemon stops.")
	f.workDir = g.Path("work_dir", "Folder for everything that outlives the daemon. Modules have their folders below it, in modules. "+
		"A module that asks for a folder fails without it.", flags.Example("/var/lib/mesos"))
	f.network.declare(f.set, g)
}

func (f *flagSet) declareModules() {
	g := f.set.Group("Modules")
	f.modules = g.String(modulesFlag, "Libraries to load and the modules wanted from them: as PATH:MODULE,PATH:MODULE, as JSON, "+
		"or as a file with JSON (file:///path, or an absolute path).",
		flags.KeepFile(), flags.Redact(redacted), flags.Example("/opt/libcalc.so:org_example_calculator"))
	f.modulesDir = g.Path("modules_dir", "Folder whose files are manifests in JSON, read in the order of their names.")
	f.set.Exclude(modulesFlag, "modules_dir", "")
	f.modulesPath = g.String("modules_path", "Folders in which libraries that are named without a path are searched, after those of "+
		"LD_LIBRARY_PATH; divided by colons.", flags.Example("/usr/lib/mesos:/opt/modules"))
	f.modulesIsolation = g.Choice("modules_isolation", "Where the code of libraries runs of which the manifest does not say it: in the daemon, or each "+
		"in a process of its own. Executables always have one; what is compiled in never has.",
		[]string{string(manifest.IsolationNone), string(manifest.IsolationProcess)}, flags.Default(string(manifest.IsolationNone)))
	f.relaxedModules = g.Bool("relaxed_modules", "Take unknown keys in manifests for notices and not for findings.")
	f.allowWorldWritable = g.Bool("allow_world_writable", "Accept library files that everybody may change.")
	f.verifyOnly = g.Bool("verify_only", "Load and verify, print the report, and end: with status 0, or 2 if something was found. "+
		"--verify-only is the same.")
	f.report = g.Choice("report", "What --verify_only reports when nothing was found: all of it, the plan, or the graph.",
		[]string{verificationReport, planReport, graphReport}, flags.Default(verificationReport))
	f.format = g.Choice("format", "Form of the report of --verify_only; dot draws the graph for Graphviz.",
		[]string{textFormat, jsonFormat, dotFormat}, flags.Default(textFormat))
}

func (f *flagSet) declareLimits() {
	g := f.set.Group("Time limits of a module's steps, where its manifest gives none")
	limit := func(name, help string, standard time.Duration) *flags.Value[time.Duration] {
		return g.Duration(name, help, flags.Default(stout.FormatDuration(standard)), flags.Check(func(d time.Duration) error {
			if d <= 0 {
				return errors.New("want more than 0")
			}
			return nil
		}))
	}
	f.openLimit = limit("module_open_limit", "For opening a library.", manager.DefaultOpen)
	f.checkLimit = limit("module_check_limit", "For a module's own compatibility check.", manager.DefaultCheck)
	f.createLimit = limit("module_create_limit", "For making an instance.", manager.DefaultCreate)
	f.drainLimit = limit("module_drain_limit", "For calls to leave a module before it is closed.", manager.DefaultDrain)
	f.closeLimit = limit("module_close_limit", "For closing an instance, or a library.", manager.DefaultClose)
}

// refsKind reads what a binding flag names.
var refsKind = flags.Kind[[]manifest.Ref]{
	Name:  "MODULE[@VERSION],...",
	Parse: manifest.ParseRefs,
	Format: func(refs []manifest.Ref) string {
		all := make([]string, len(refs))
		for i, r := range refs {
			all[i] = r.String()
		}
		return strings.Join(all, ",")
	},
}

// declareBindings declares the flags of all sites: those of the other daemon are
// accepted, so that one flag file serves both. An alias belongs to the daemon's own
// site, as --auth stands for another flag on each.
func (f *flagSet) declareBindings(o Options) {
	own := f.set.Group("Binding sites of this daemon: names of loaded modules")
	other := f.set.Group("Binding sites of the other daemon: their modules are loaded, verified, and not used here")
	for _, role := range roles.Table() {
		for _, site := range role.Sites {
			if site.Flag == "" {
				continue
			}
			group, options := other, []flags.Option{}
			if site.On&o.Daemon != 0 {
				group = own
				for _, alias := range site.Aliases {
					options = append(options, flags.Alias(alias))
				}
			}
			help := fmt.Sprintf("Role %s, which %s. Takes %s.", role.Name, role.Summary, amount(site.Takes))
			f.bindings = append(f.bindings, binding{site.Flag, flags.Add(group, site.Flag, help, refsKind, options...)})
		}
	}
}

// amount is how many modules a site takes, in words.
func amount(c roles.Cardinality) string {
	switch c {
	case roles.List:
		return "any number of modules, in the order in which they are named"
	case roles.Each:
		return "one module, of which an instance is made for each use"
	case roles.EachOf:
		return "any number of modules, in the order in which they are asked; an instance is made for each use"
	default:
		return "one module"
	}
}

func (f *flagSet) declareOutput() {
	g := f.set.Group("Output")
	f.loggingLevel = g.Choice("logging_level", "Least severe log lines that are written. DEBUG also shows every step of every module.",
		[]string{debugLevel, infoLevel, warningLevel, errorLevel}, flags.Default(infoLevel))
	f.quiet = g.Bool("quiet", "Write nothing but errors to standard error.")
	f.logDir = g.Path("log_dir", "Folder in which the daemon writes its log, one JSON object a line.")
	f.externalLogFile = g.Path("external_log_file", "File that other software writes the daemon's log to, which clients are shown.")
	const lines = "every line of the log is written at once"
	g.Int("logbufsecs", "Seconds for which log lines are kept back.", flags.Default("0"), flags.WithoutUse(lines))
	g.Bool("initialize_driver_logging", "Let drivers log.", flags.Default("true"), flags.WithoutUse("there are no drivers here"))
	g.Bool("memory_profiling", "Profile the memory.", flags.WithoutUse("it belongs to an allocator of C++"))
}

// underscored accepts --verify-only, the one flag that is usually written so.
func underscored(args []string) []string {
	all := make([]string, len(args))
	for i, a := range args {
		name, value, given := strings.Cut(a, "=")
		if given {
			value = "=" + value
		}
		switch strings.ToLower(name) {
		case "--verify-only":
			a = "--verify_only" + value
		case "--no-verify-only":
			a = "--no-verify_only" + value
		}
		all[i] = a
	}
	return all
}

const modulesFlag = "modules"

// isJSON says whether a value of --modules has the one form that holds parameters.
func isJSON(modules string) bool { return strings.HasPrefix(strings.TrimSpace(modules), "{") }

// redacted is a value of --modules as anybody may see it before the modules have
// said which of their parameters are secret.
func redacted(text string) string {
	if !isJSON(text) {
		return text
	}
	m, _, err := manifest.Parse(text, manifest.Options{Relaxed: true})
	if err != nil {
		return flags.Hidden
	}
	return m.Text()
}

// config is what the flags say to the module system.
func (f *flagSet) config(o Options, wanted manifest.Manifest, log *slog.Logger) manager.Config {
	vehicles := Vehicles(log)
	cfg := manager.Config{
		Daemon: o.Daemon, MesosVersion: o.Version, Builtin: o.Builtin, Vehicles: vehicles, Launcher: launcher(vehicles),
		Isolation: manifest.Isolation(f.modulesIsolation.Get()),
		Manifests: []manifest.Manifest{wanted}, SearchPath: f.searchPath(o.Env), AllowWorldWritable: f.allowWorldWritable.Get(),
		Limits: manifest.Limits{Open: f.openLimit.Get(), Check: f.checkLimit.Get(), Create: f.createLimit.Get(),
			Drain: f.drainLimit.Get(), Close: f.closeLimit.Get()},
	}
	if core, ok := o.Core.(Parameterised); ok {
		cfg.Parameters = core.Parameters(f.workDir.Get())
	}
	if f.workDir.Has() {
		cfg.StateDir = filepath.Join(f.workDir.Get(), "modules")
	}
	var defaults map[string][]string
	if core, ok := o.Core.(Defaulting); ok {
		defaults = core.Defaults()
	}
	for _, b := range f.bindings {
		names := defaults[b.flag]
		switch {
		case b.value.IsSet():
			cfg.Bindings = append(cfg.Bindings, b.verified())
		case len(names) > 0:
			cfg.Bindings = append(cfg.Bindings, defaulted(b.flag, names))
		}
	}
	return cfg
}

func (b binding) verified() verify.Binding {
	v := verify.Binding{Flag: b.flag}
	for _, r := range b.value.Get() {
		v.Refs = append(v.Refs, verify.Ref(r))
	}
	return v
}

func defaulted(flag string, names []string) verify.Binding {
	v := verify.Binding{Flag: flag, FromDefault: true}
	for _, name := range names {
		v.Refs = append(v.Refs, verify.Ref{Name: name})
	}
	return v
}

// bound returns the names of the modules that a flag binds.
func (f *flagSet) bound(flag string) []string {
	var names []string
	for _, b := range f.bindings {
		if b.flag == flag {
			for _, r := range b.value.Get() {
				names = append(names, r.Name)
			}
		}
	}
	return names
}

// makeWorkDir makes the work folder if it is not there: one that cannot be is known
// before a module or a task asks for it.
func (f *flagSet) makeWorkDir() error {
	dir := f.workDir.Get()
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--work_dir=%s: %w", dir, err)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("--work_dir=%s: the daemon may not write there: %w", dir, err)
	}
	return nil
}

// searchPath are the folders of libraries that are named without a path.
func (f *flagSet) searchPath(env []string) []string {
	var dirs []string
	for _, list := range []string{variable(env, "LD_LIBRARY_PATH"), f.modulesPath.Get()} {
		for _, dir := range filepath.SplitList(list) {
			if dir != "" {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// variable looks an environment variable up; the last of several wins, as in exec.
func variable(env []string, name string) (value string) {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// host is the name under which others reach this host.
func (f *flagSet) host() string {
	if f.hostname.Has() {
		return f.hostname.Get()
	}
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

// given reports whether the flag of a binding site was given, and is not its default.
func (f *flagSet) given(site string) bool {
	for _, b := range f.bindings {
		if b.flag == site {
			return b.value.IsSet()
		}
	}
	return false
}

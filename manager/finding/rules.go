package finding

// Rule is the stable id of a verification rule.
type Rule string

// The rules, in the order in which they are checked and reported.
const (
	Manifest        Rule = "manifest"
	LibraryFile     Rule = "library-file"
	LibraryFormat   Rule = "library-format"
	LibraryBuild    Rule = "library-build"
	Isolation       Rule = "isolation"
	ProcessSettings Rule = "process-settings"
	Confinement     Rule = "confinement"
	LibraryOpens    Rule = "library-opens"
	Handshake       Rule = "handshake"
	MMSVersion      Rule = "mms-version"
	Metadata        Rule = "metadata"
	ModulePresent   Rule = "module-present"
	RoleKnown       Rule = "role-known"
	RoleDaemon      Rule = "role-daemon"
	RoleVersion     Rule = "role-version"
	LibraryVersion  Rule = "library-version"
	EqualVersion    Rule = "equal-version"
	MinMesos        Rule = "min-mesos"
	UniqueName      Rule = "unique-name"
	Parameters      Rule = "parameters"
	Requirement     Rule = "requirement"
	VersionClash    Rule = "version-clash"
	Conflict        Rule = "conflict"
	Cycle           Rule = "cycle"
	GraphSize       Rule = "graph-size"
	Instances       Rule = "instances"
	Binding         Rule = "binding"
	OnFailure       Rule = "on-failure"
	Fallback        Rule = "fallback"
	OwnCheck        Rule = "own-check"
)

// Explanation says what a rule is for, for "mesos-module rules" and the docs.
type Explanation struct {
	Rule    Rule   `json:"rule"`
	Checks  string `json:"checks"`
	Because string `json:"because"`
	Mend    string `json:"mend"`
}

// Explain returns the explanation of one rule.
func Explain(r Rule) (Explanation, bool) {
	for _, x := range Rules() {
		if x.Rule == r {
			return x, true
		}
	}
	return Explanation{}, false
}

// Rules returns the explanation of every rule, in order. The slice is the
// caller's.
func Rules() []Explanation {
	return []Explanation{
		{Manifest, "The manifest can be read: form, keys, types, sizes.",
			"A mistyped key that is silently dropped is a module that silently runs without its parameter.",
			"Go to the line and column; the nearest known key is named."},
		{LibraryFile, "The library's file is there, a regular file, readable, and not writable for everybody.",
			"Whoever can write the file runs code as the daemon.",
			"Correct the path or the permissions; --allow_world_writable accepts the file as it is."},
		{LibraryFormat, "The file is an ELF shared library for this machine, whole, and carries modules.",
			"Opening anything else ends in a crash or in the dynamic loader's riddle.",
			"Rebuild the library for this machine; the finding says what the file is instead."},
		{LibraryBuild, "A Go plugin was built with the daemon's Go version, flags and packages; a native library finds every symbol it needs.",
			"Go loads a plugin only into the very build it was made for, and names one package and no cause when it refuses.",
			"Build the plugin with the mesos-module build line in the finding."},
		{Isolation, "The library can run where the manifest wants it: what is compiled in runs in the daemon, an executable in a process of its own.",
			"Who asks for a process counts on its protection; it is not silently left out.",
			"Say \"isolation\" once for each library, and not for modules that are compiled in."},
		{ProcessSettings, "What the manifest says of a library's process is said of one that has a process.",
			"Limits that hold nobody look like protection.",
			"Say \"isolation\": \"process\" too, or take the settings out."},
		{Confinement, "This machine can give the limits that the manifest sets for the library's process.",
			"A limit that cannot be put on is refused before anything runs, and never left out.",
			"The finding says what the machine lacks; correct the limit, or provide what is missing."},
		{LibraryOpens, "A child process could open the library, in time: the one that it runs in, or one for a trial.",
			"Initialisers run when a library is opened. One that crashes, exits or hangs must not do so in the daemon.",
			"Look at the library's initialisers; raise the open limit if they are only slow."},
		{Handshake, "The library says that it is a module library, and for which version of the module management system.",
			"Without it anything with a matching symbol would be taken for a module.",
			"Put MESOS_MODULE_LIBRARY() into one file of the library, or export a facade.Library."},
		{MMSVersion, "The library's version of the module management system is one that this daemon knows.",
			"The version is bumped when the handshake changes; an older daemon cannot read a later library.",
			"Rebuild the library for this daemon, or use a newer daemon."},
		{Metadata, "The library's and the module's own texts are there, bounded, UTF-8, and versions are strict semver.",
			"What is read from a file is not trusted before it has been looked at.",
			"Correct the declaration in the module's source."},
		{ModulePresent, "The library has the module that the manifest names.",
			"A module is found by its name only.",
			"Name one of the modules that the finding lists."},
		{RoleKnown, "The module's role, and every role it requires, is one of the pre-declared ones, has a caller in this release, and can be fulfilled on the library's vehicle.",
			"There is no dynamic discovery of roles: a daemon can only call what it knows.",
			"Use one of the roles that \"mesos-module roles\" lists."},
		{RoleDaemon, "The role is used by this daemon, or only a binding flag of the other daemon leads to the module.",
			"An isolator in a master would be loaded for nothing; but one flag file may serve both daemons.",
			"Load the module in the daemon that has a binding site for it, or name it by that site's flag."},
		{RoleVersion, "The role's version is not above the library's Mesos version. Pre-release tags do not count, here and below.",
			"The role changed incompatibly after the library was built.",
			"Rebuild the library against the role's version or a later one."},
		{LibraryVersion, "The library's Mesos version is not above the daemon's.",
			"A library built for a newer Mesos may use what this one does not have.",
			"Use a newer daemon, or build the library for this one."},
		{EqualVersion, "Without a compatibility check, library and daemon have the same Mesos version.",
			"Only the author knows whether the module works with a later Mesos.",
			"Rebuild the library, or declare a compatibility check in the module."},
		{MinMesos, "The daemon is not older than the library's minimum Mesos version, which can only tighten: one below the version built for is without effect.",
			"The author has said that it does not work before.",
			"Use a newer daemon."},
		{UniqueName, "A module name stands for one module: the same file, whatever its spelling, and the same parameters in the same order. " +
			"One of the manifest stands in for one of its name that the daemon is built with.",
			"Flags and requirements name modules by this name alone.",
			"Remove one of the two, or make them equal."},
		{Parameters, "The parameters match what the module declares.",
			"A mistyped parameter is found here and not after the start.",
			"The finding names the parameters that the module knows."},
		{Requirement, "What the module requires is loaded.",
			"A module that misses what it needs fails when it is first used.",
			"Add the missing module to the manifest; the finding names the chain that asks for it."},
		{VersionClash, "The version of a required module satisfies every requirer.",
			"A later version may have dropped what a requirer calls.",
			"Load one of the versions that the finding lists."},
		{Conflict, "No two loaded modules exclude each other.",
			"Their authors know that they do not work side by side.",
			"Drop one of the two."},
		{Cycle, "Requirements go round in no circle.",
			"No order of making the modules would satisfy them.",
			"Drop one of the edges on the way that the finding prints."},
		{GraphSize, "The modules and their requirements are not more than the planner accepts.",
			"A manifest must not be able to take the daemon's memory.",
			"Split the requirements of roles that very many modules have."},
		{Instances, "No binding site gets more modules than it takes.",
			"A daemon has one allocator: of two it would use one and silently drop the other.",
			"Name one module in the flag."},
		{Binding, "Binding flags exist and name loaded modules of the right role.",
			"A flag that names the wrong module would bind something that cannot be called.",
			"Name a module of the site's role; the finding lists those that are loaded."},
		{OnFailure, "What is to follow the failure of a module is said of one in a process of its own, or of one that requires such a one.",
			"A module in the daemon's own process does not fail alone.",
			"Isolate the module's library, or take \"on_failure\" out."},
		{Fallback, "The module that takes over for another is loaded, has the same role, and depends neither on that module nor on its process.",
			"It is needed when something is broken already: that is no time to find it missing.",
			"Name a loaded module of the same role that works without this one."},
		{OwnCheck, "The module's own compatibility check, where it declares one, admits it in time.",
			"The module has the last word, whatever the other rules say.",
			"The finding repeats the module's reason; a check that is only slow gets a higher check limit."},
	}
}

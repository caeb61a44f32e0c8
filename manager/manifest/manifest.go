// Package manifest reads the text that names what a daemon loads: the values of --modules and --modules_dir.
//
// A manifest lists libraries, the modules wanted from each, and the parameters of every module. It has three written
// forms, told apart by their first characters (see [Parse]):
//
//   - JSON, inline: {"libraries": [{"file": "/opt/libcalc.so", "modules": [{"name": "org_example_calculator"}]}]}
//   - a file that holds such JSON: file:///etc/mesos/modules.json, or /etc/mesos/modules.json
//   - the short form: /opt/libcalc.so:org_example_calculator,/opt/libhello.so:org_example_hello
//
// Beside what Apache Mesos knows, JSON says how libraries and modules are run, by keys of our own: "limits" of time, and
// "isolation", "process" and "on_failure" for libraries in processes of their own. The short form has none of them; the
// daemon's flags set them for all.
//
// Reading is strict where Apache Mesos is lenient: a misspelt key is an error with its line and column and the key that
// was probably meant. Everything that can be found wrong with a text is reported in one run. The package opens manifests
// and looks for libraries ([Resolve]); it never opens a library.
package manifest

import (
	"fmt"
	"time"
)

// Manifest is what one or several texts ask for, in the order they ask for it. Nothing is merged across libraries but
// the entries of one path in one short form; duplicates and conflicts are the caller's business.
//
// It is plain data: whoever receives one owns its slices.
type Manifest struct {
	Libraries []Library
}

// Library is one dynamic library and the modules wanted from it. At least one of File and Name is set; File wins.
type Library struct {
	File    string // a path, or a file name without a slash that is searched for
	Name    string // a bare name: "calc" stands for libcalc.so
	Modules []Module
	Limits  Limits // for opening the library, and for those of its modules that say nothing themselves

	Isolation Isolation
	Process   Process // of a library in a process of its own

	At Position
}

// Module is one module wanted from a library. Its name is never empty.
type Module struct {
	Name       string
	Parameters []Parameter // an ordered multimap: order and repetition are part of a module's identity
	Limits     Limits      // Open is always 0: a library is opened once for all its modules
	OnFailure  OnFailure   // of a module in a process of its own
	At         Position
}

// Parameter is one key with one value. Either may be empty, as in Apache Mesos; a key or value left out is empty.
type Parameter struct {
	Key, Value string
}

// Limits are the time limits of the steps of a module. 0 stands for the daemon's default. They are an extension: the key
// "limits" of a library or module, with durations written as in flags ("limits": {"create": "30secs"}).
type Limits struct {
	Open   time.Duration // opening the library
	Check  time.Duration // the module's own compatibility check
	Create time.Duration // making an instance
	Drain  time.Duration // waiting for calls in flight before close
	Close  time.Duration // closing an instance
}

// Position is a place in a manifest's text. The zero value means that the place is unknown.
type Position struct {
	Source string // the flag ("--modules") or the path of the file
	Line   int    // from 1; 0 when the whole source is meant
	Column int    // from 1, counted in characters
}

// String gives source:line:column, as compilers and editors write it, and the source alone if there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.Source
	}
	return fmt.Sprintf("%s:%d:%d", p.Source, p.Line, p.Column)
}

// Notice is something worth telling that stops nothing, like a file that was passed over.
type Notice struct {
	At   Position
	Text string
}

func (n Notice) String() string { return n.At.String() + ": " + n.Text }

// Package moduletool is the program mesos-module: what module authors and
// operators ask of libraries, roles and rules without starting a daemon.
//
// One command, one file. Each writes what it found to standard output, as text or
// as JSON, and what went wrong to standard error, as one paragraph. Exit codes are
// constants here and part of the help.
//
// What depends on the packages that a daemon links is not answered here: verify,
// plan and graph run the daemon's own binary.
package moduletool

// Package flags reads command lines and environments by Apache Mesos' rules, which no flag package of Go has:
//
//   - --name=value; booleans also --name and --no-name. "--name value" is an error that says so.
//   - Names are matched in lower case. Dashes are not underscores. A flag given twice, also by an alias, is an error.
//   - "--" ends the flags. What is no flag is a stray argument: Mesos ignores those silently, here they get a notice.
//   - MESOS_NAME or MESOS_name in the environment gives a flag too; the command line wins. Variables of no flag are ignored,
//     and so, other than in Mesos, are those of --help and --version: container images set MESOS_VERSION to a version.
//   - Any value may be file:///absolute/path: the content of that file, without the line end at its end, is the value.
//     A flag for a path takes the path itself.
//   - Booleans are true, false, 1 and 0; durations are like 5secs and sizes like 64MB ([stout.ParseDuration], [stout.ParseBytes]).
//
// Everything wrong with a command line is reported in one run, with the name that was probably meant. A [Set] holds all
// state; nothing here reads os.Args or ends the program.
package flags

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/mesos-modules/mms/facade/stout"
)

// Config describes a program to a [Set].
type Config struct {
	Program string // its name, for texts
	About   string // what it does, for the help: a sentence or two
	Prefix  string // of its environment variables: "MESOS_"; "" reads none
}

// Set is the flags of one program: declared in groups, then parsed once. Declaring and parsing are for one goroutine.
type Set struct {
	// Help and Version say whether --help or --version was given, which every program has. Then the program prints
	// [Set.Usage] or its version and ends well, whatever else is wrong with its command line.
	Help, Version *Value[bool]

	config    Config
	groups    []*Group
	flags     []*flag
	byName    map[string]*flag // names and aliases
	exclusive []exclusion
	mistakes  *multierror.Error // in the declarations
	parsed    bool
}

// Group is flags that stand together in the help, below a title.
type Group struct {
	set   *Set
	title string
	flags []*flag
}

// exclusion is two flags of which only one may be given.
type exclusion struct {
	one, other string
	why        string
}

// New makes a set that knows --help and --version.
func New(config Config) *Set {
	s := &Set{config: config, byName: map[string]*flag{}}
	g := s.Group("Help")
	onlyArgs := func(f *flag) { f.onlyArgs = true }
	s.Help = g.Bool("help", "Print this text and end.", onlyArgs)
	s.Version = g.Bool("version", "Print the version and end.", onlyArgs)
	return s
}

// Group begins a group. Groups stand in the help in the order of these calls, the one of --help first.
func (s *Set) Group(title string) *Group {
	g := &Group{set: s, title: title}
	s.groups = append(s.groups, g)
	return g
}

// Exclude declares that only one of two flags may be given; why ends the error's sentence and may be empty.
func (s *Set) Exclude(one, other, why string) {
	for _, name := range []string{one, other} {
		if s.byName[name] == nil {
			s.mistake("exclusion of --%s and --%s: there is no --%s", one, other, name)
		}
	}
	s.exclusive = append(s.exclusive, exclusion{one, other, why})
}

func (s *Set) mistake(format string, arguments ...any) {
	s.mistakes = multierror.Append(s.mistakes, fmt.Errorf(s.config.Program+": flags wrongly declared: "+format, arguments...))
}

func (s *Set) declare(g *Group, f *flag) {
	for _, name := range f.names() {
		if !validName.MatchString(name) {
			s.mistake("%q is no name for a flag", name)
		}
		if s.byName[name] != nil {
			s.mistake("--%s is declared twice", name)
		}
		s.byName[name] = f
	}
	if f.defaultText != nil {
		if err := f.store(*f.defaultText); err != nil {
			s.mistake("default of --%s: %v", f.name, err)
		}
	}
	g.flags = append(g.flags, f)
	s.flags = append(s.flags, f)
}

// String declares a flag for any text.
func (g *Group) String(name, help string, options ...Option) *Value[string] {
	return Add(g, name, help, textKind, options...)
}

// Choice declares a flag for one of several words.
func (g *Group) Choice(name, help string, choices []string, options ...Option) *Value[string] {
	return Add(g, name, help, choiceKind(choices), options...)
}

// Path declares a flag for a path, which file:// may precede.
func (g *Group) Path(name, help string, options ...Option) *Value[string] {
	return Add(g, name, help, pathKind, options...)
}

// Bool declares a boolean flag, false by default.
func (g *Group) Bool(name, help string, options ...Option) *Value[bool] {
	return Add(g, name, help, boolKind, options...)
}

// Int declares a flag for a whole number.
func (g *Group) Int(name, help string, options ...Option) *Value[int] {
	return Add(g, name, help, intKind, options...)
}

// Uint declares a flag for a whole number that is not negative.
func (g *Group) Uint(name, help string, options ...Option) *Value[uint64] {
	return Add(g, name, help, uintKind, options...)
}

// Float declares a flag for a number with a fraction.
func (g *Group) Float(name, help string, options ...Option) *Value[float64] {
	return Add(g, name, help, floatKind, options...)
}

// Port declares a flag for a TCP port.
func (g *Group) Port(name, help string, options ...Option) *Value[uint16] {
	return Add(g, name, help, portKind, options...)
}

// Duration declares a flag for a duration in Mesos' notation.
func (g *Group) Duration(name, help string, options ...Option) *Value[time.Duration] {
	return Add(g, name, help, durationKind, options...)
}

// Bytes declares a flag for a size in Mesos' notation.
func (g *Group) Bytes(name, help string, options ...Option) *Value[stout.Bytes] {
	return Add(g, name, help, bytesKind, options...)
}

// JSON declares a flag for a JSON text. Only its syntax is checked; white space between its parts is dropped. The bytes
// belong to the set.
func (g *Group) JSON(name, help string, options ...Option) *Value[json.RawMessage] {
	return Add(g, name, help, jsonKind, options...)
}

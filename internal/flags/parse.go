package flags

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hashicorp/go-multierror"
)

// MaxFileBytes bounds the file that a value file:///path names.
const MaxFileBytes = 4 << 20

const fileScheme = "file://"

var errFileURL = errors.New("file:// needs an absolute path, with three slashes: file:///path")

// assignment is a value somebody gave a flag.
type assignment struct {
	flag   *flag
	name   string // the flag's name or alias
	origin string // as spelt: "--no-name", or "MESOS_NAME"
	text   string
	bare   bool    // there was no "=value": the text follows from the spelling
	next   *string // what stood behind a bare flag as if it were its value
}

// shown is the assignment as an error shows it.
func (a *assignment) shown() string {
	if a.bare {
		return a.origin
	}
	return a.origin + "=" + a.flag.shown(a.text)
}

// parsing is the state of one run over a command line.
type parsing struct {
	set      *Set
	notices  []Notice
	problems *multierror.Error
}

func (p *parsing) problem(f *flag, err error, format string, arguments ...any) {
	problem := &Problem{Text: fmt.Sprintf(format, arguments...), Err: err}
	if f != nil {
		problem.Flag = f.name
	}
	p.problems = multierror.Append(p.problems, problem)
}

func (p *parsing) notice(f *flag, format string, arguments ...any) {
	n := Notice{Text: fmt.Sprintf(format, arguments...)}
	if f != nil {
		n.Flag = f.name
	}
	p.notices = append(p.notices, n)
}

// Parse reads a command line without the program's name (os.Args[1:]) and an environment (as os.Environ gives it) into
// the set's values. The error holds every [Problem]; it is nil if --help or --version was given, as then no other flag
// matters. After an error the values are not to be used. Parse may be called once.
func (s *Set) Parse(args, environ []string) ([]Notice, error) {
	if s.parsed {
		s.mistake("parsed twice")
	}
	s.parsed = true
	if err := s.mistakes.ErrorOrNil(); err != nil {
		return nil, err
	}
	p := &parsing{set: s}
	p.arguments(args)
	p.environment(environ)
	for _, f := range s.flags {
		if f.given != nil {
			p.assign(f)
		}
	}
	p.contradictions()
	if s.Help.Get() || s.Version.Get() {
		return p.notices, nil
	}
	if p.problems != nil {
		p.problems.ErrorFormat = listing(s.config.Program)
	}
	return p.notices, p.problems.ErrorOrNil()
}

// arguments reads the command line.
func (p *parsing) arguments(args []string) {
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			for _, stray := range args[i+1:] {
				p.stray(stray)
			}
			return
		}
		spelt, isFlag := strings.CutPrefix(args[i], "--")
		if !isFlag {
			p.stray(args[i])
			continue
		}
		spelt, text, hasText := strings.Cut(spelt, "=")
		next := following(args, i)
		a := p.match(spelt, text, hasText)
		if next != nil && (a == nil && !hasText || a != nil && a.wants(*next)) {
			i++ // it is no stray argument: that would be reported, and might be a secret
		}
		if a == nil {
			continue
		}
		if next != nil && a.wants(*next) {
			a.next = next
		}
		p.give(a)
	}
}

// following is the argument behind the i-th, if it is no flag.
func following(args []string, i int) *string {
	if i+1 == len(args) || strings.HasPrefix(args[i+1], "--") {
		return nil
	}
	return &args[i+1]
}

// wants says whether the argument behind a flag without "=" is probably meant to be its value.
func (a *assignment) wants(next string) bool {
	if !a.bare {
		return false
	}
	_, err := parseBool(next)
	return !a.flag.boolean || a.text == "true" && err == nil
}

// match finds the flag for what was spelt; it reports why and returns nil if that can't be.
func (p *parsing) match(spelt, text string, hasText bool) *assignment {
	name := strings.ToLower(spelt)
	origin := "--" + shorten(spelt)
	if f := p.set.byName[name]; f != nil {
		a := &assignment{flag: f, name: name, origin: origin, text: text, bare: !hasText}
		if a.bare && f.boolean {
			a.text = "true"
		}
		return a
	}
	positive, negated := strings.CutPrefix(name, "no-")
	f := p.set.byName[positive]
	switch {
	case !negated || f == nil:
		p.unknown(origin, name)
	case !f.boolean:
		p.problem(f, nil, "%s: only boolean flags can be negated; --%s takes a value", origin, positive)
	case hasText:
		p.problem(f, nil, "%s: a negated flag takes no value; write --%s=false, or %s alone", origin, positive, origin)
	default:
		return &assignment{flag: f, name: positive, origin: origin, text: "false", bare: true}
	}
	return nil
}

func (p *parsing) unknown(origin, name string) {
	positive, negated := strings.CutPrefix(name, "no-")
	near := ""
	if negated {
		if near = p.set.nearest(positive); near != "" && p.set.byName[near].boolean {
			near = "no-" + near
		}
	}
	if near == "" {
		near = p.set.nearest(name)
	}
	switch {
	case name == "":
		p.problem(nil, nil, "%s=: a flag without a name", origin)
	case near != "":
		p.problem(nil, nil, "%s: unknown flag; did you mean --%s?", origin, near)
	default:
		p.problem(nil, nil, "%s: unknown flag", origin)
	}
}

func (p *parsing) stray(argument string) {
	name, _, _ := strings.Cut(argument, "=") // the rest may be a secret
	if strings.HasPrefix(name, "-") {
		p.notice(nil, "stray argument %q is ignored; flags begin with two dashes", shorten(name))
		return
	}
	p.notice(nil, "stray argument %q is ignored", shorten(name))
}

// give keeps an assignment from the command line.
func (p *parsing) give(a *assignment) {
	f := a.flag
	switch {
	case f.given != nil && f.given.name != a.name:
		p.problem(f, nil, "%s: given already as %s, which is the same flag", a.origin, f.given.origin)
	case f.given != nil:
		p.problem(f, nil, "%s: given twice", a.origin)
	default:
		f.given = a
	}
}

// environment gives values to flags which the command line leaves alone.
func (p *parsing) environment(environ []string) {
	if p.set.config.Prefix == "" {
		return
	}
	fromHere := map[*flag]*assignment{}
	for _, variable := range environ {
		name, text, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(name, p.set.config.Prefix)
		if !ours || rest != strings.ToUpper(rest) && rest != strings.ToLower(rest) {
			continue
		}
		f := p.set.byName[strings.ToLower(rest)]
		if f == nil || f.onlyArgs {
			continue
		}
		a := &assignment{flag: f, name: strings.ToLower(rest), origin: name, text: text}
		first := fromHere[f]
		switch {
		case first != nil && first.text != text:
			p.problem(f, nil, "the environment contradicts itself: %s and %s give --%s different values", first.origin, name, f.name)
		case f.given == nil:
			f.given = a
			fromHere[f] = a
		}
	}
}

// assign parses the value a flag was given.
func (p *parsing) assign(f *flag) {
	a := f.given
	for _, old := range f.aliases {
		if old.name == a.name && old.deprecated {
			p.notice(f, "%s is the old name of --%s", a.origin, f.name)
		}
	}
	if f.withoutUse != "" {
		p.notice(f, "%s is accepted without effect: %s", a.origin, f.withoutUse)
	}
	if a.next != nil {
		p.problem(f, nil, "%s: a value follows an equals sign, not a space; write --%s=%s", a.origin, a.name, f.shown(*a.next))
		return
	}
	if a.bare && !f.boolean {
		p.problem(f, nil, "%s: the value is missing; write --%s=%s", a.origin, a.name, f.kind)
		return
	}
	text := a.text
	path, isFile := strings.CutPrefix(text, fileScheme)
	if isFile = isFile && !f.path && !f.keepFile; isFile {
		content, err := readFile(path)
		if err != nil {
			p.problem(f, err, "%s: %v", a.shown(), err)
			return
		}
		text = strings.TrimSuffix(strings.TrimSuffix(content, "\n"), "\r")
		if !f.exact {
			text = strings.TrimSpace(content)
		}
	}
	if err := f.store(text); err != nil && isFile {
		p.problem(f, err, "%s: content of the file: %v", a.shown(), err)
	} else if err != nil {
		p.problem(f, err, "%s: %v", a.shown(), err)
	}
}

// contradictions finds flags that may not stand together, and required ones that are missing.
func (p *parsing) contradictions() {
	for _, pair := range p.set.exclusive {
		one, other := p.set.byName[pair.one], p.set.byName[pair.other]
		if one.given == nil || other.given == nil {
			continue
		}
		why := ""
		if pair.why != "" {
			why = "; " + pair.why
		}
		p.problem(one, nil, "%s and %s exclude each other%s", one.given.origin, other.given.origin, why)
	}
	for _, f := range p.set.flags {
		if f.required && f.given == nil {
			p.problem(f, nil, "--%s=%s is required: %s", f.name, f.kind, f.help)
		}
	}
}

// readFile reads the regular file that a value names.
func readFile(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", errFileURL
	}
	// Without O_NONBLOCK, opening a named pipe would wait for somebody to write.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	content, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return "", withoutPath(err)
	}
	if len(content) > MaxFileBytes {
		return "", fmt.Errorf("the file is larger than the limit of %d bytes", MaxFileBytes)
	}
	return string(content), nil
}

// withoutPath drops from an error of the file system the path, which the assignment shows.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

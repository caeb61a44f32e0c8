package flags

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mesos-modules/mms/facade/stout"
)

// Hidden stands for a value that is not shown.
const Hidden = "(hidden)"

// Value is what a flag was given, or its default. It is filled by [Set.Parse] and not written afterwards, so that any
// number of goroutines may read it then.
type Value[T any] struct {
	flag  *flag
	value T
}

// Get returns the value: as given, or the default, or the zero value of an optional flag that was not given.
func (v *Value[T]) Get() T { return v.value }

// Has says whether there is a value: given or default.
func (v *Value[T]) Has() bool { return v.flag.has }

// IsSet says whether the command line or the environment gave the value.
func (v *Value[T]) IsSet() bool { return v.flag.given != nil }

// Origin names where the value was given: "--name", as it was spelt, or the environment variable; "" if it was not.
func (v *Value[T]) Origin() string {
	if v.flag.given == nil {
		return ""
	}
	return v.flag.given.origin
}

// flag is one declared flag without its type.
type flag struct {
	name        string
	help        string
	kind        string
	boolean     bool
	path        bool
	exact       bool
	aliases     []alias
	defaultText *string
	example     string
	required    bool
	keepFile    bool
	onlyArgs    bool // given on the command line, never by the environment
	secret      bool
	redact      func(text string) string
	withoutUse  string
	checks      []any                   // func(T) error
	store       func(text string) error // parses, checks and keeps a value
	show        func() string           // writes the value that is kept
	has         bool
	given       *assignment
}

type alias struct {
	name       string
	deprecated bool
}

// Option adds to the declaration of a flag.
type Option func(*flag)

// Default is the value of a flag that was not given, written as on the command line. Without it, a flag is optional; but
// a boolean flag defaults to false.
func Default(text string) Option { return func(f *flag) { f.defaultText = &text } }

// Alias declares another name for a flag.
func Alias(name string) Option {
	return func(f *flag) { f.aliases = append(f.aliases, alias{name: name}) }
}

// DeprecatedAlias declares an old name for a flag; who uses it gets a notice.
func DeprecatedAlias(name string) Option {
	return func(f *flag) { f.aliases = append(f.aliases, alias{name: name, deprecated: true}) }
}

// Example is a value to show in the help.
func Example(text string) Option { return func(f *flag) { f.example = text } }

// Required makes it an error not to give the flag.
func Required() Option { return func(f *flag) { f.required = true } }

// KeepFile leaves a value file:///path as it is, for who reads the file himself to report positions in it.
func KeepFile() Option { return func(f *flag) { f.keepFile = true } }

// Secret keeps the value out of every text this package makes.
func Secret() Option { return func(f *flag) { f.secret = true } }

// Redact has the value shown as hide writes it, in [Set.Values] and in errors. hide must cope with any text.
func Redact(hide func(text string) string) Option { return func(f *flag) { f.redact = hide } }

// WithoutUse accepts a flag that this program does nothing with; who gives it gets a notice with the reason.
func WithoutUse(reason string) Option { return func(f *flag) { f.withoutUse = reason } }

// Check adds a condition on the value; its error says what is wanted and must not repeat the value. T is the flag's type.
func Check[T any](condition func(T) error) Option {
	return func(f *flag) { f.checks = append(f.checks, condition) }
}

// Between is the condition that a value lies between two bounds, both allowed.
func Between[T cmp.Ordered](least, most T) Option {
	return Check(func(v T) error {
		if v < least || v > most {
			return fmt.Errorf("want %s to %s", bound(least), bound(most))
		}
		return nil
	})
}

func bound(v any) string {
	if d, ok := v.(time.Duration); ok {
		return stout.FormatDuration(d)
	}
	return fmt.Sprint(v)
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Add declares a flag of any kind in a group. The methods of [Group] do so for the usual kinds. Mistakes in a declaration
// are reported by [Set.Parse].
func Add[T any](g *Group, name, help string, kind Kind[T], options ...Option) *Value[T] {
	f := &flag{name: name, help: help, kind: kind.Name, boolean: kind.boolean, path: kind.path, exact: kind.exact}
	for _, option := range options {
		option(f)
	}
	if f.boolean && f.defaultText == nil {
		Default("false")(f)
	}
	v := &Value[T]{flag: f}
	f.show = func() string { return kind.Format(v.value) }
	f.store = func(text string) error {
		parsed, err := kind.Parse(text)
		for i := 0; err == nil && i < len(f.checks); i++ {
			if check, ok := f.checks[i].(func(T) error); ok {
				err = check(parsed)
			}
		}
		if err == nil {
			v.value, f.has = parsed, true
		}
		return err
	}
	for _, c := range f.checks {
		if _, ok := c.(func(T) error); !ok {
			g.set.mistake("--%s: the condition %T does not fit its type %T", name, c, v.value)
		}
	}
	g.set.declare(g, f)
	return v
}

// names are the flag's name and its aliases.
func (f *flag) names() []string {
	names := []string{f.name}
	for _, a := range f.aliases {
		names = append(names, a.name)
	}
	return names
}

// shown is text as it may be shown, shortened for an error.
func (f *flag) shown(text string) string {
	switch {
	case f.secret:
		return Hidden
	case f.redact != nil:
		text = f.redact(text)
	}
	return shorten(text)
}

// shorten makes a text of a command line fit into an error: on one line, and not too long.
func shorten(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\ufffd"))
}

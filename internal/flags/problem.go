package flags

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/mesos-modules/mms/internal/nearest"
)

// Problem is one thing wrong with a command line or environment. The error of [Set.Parse] holds one or more. Its text
// shows no value of a secret flag.
type Problem struct {
	Flag string // the declared name; "" if there is no such flag
	Text string
	Err  error // the cause, if any
}

func (p *Problem) Error() string { return p.Text }
func (p *Problem) Unwrap() error { return p.Err }

// Notice is something worth telling that stops nothing. Its text shows no value of a secret flag.
type Notice struct {
	Flag string // the declared name; "" if it is about none
	Text string
}

func (n Notice) String() string { return n.Text }

// Wrong makes one error of what is wrong with flags, such as ones that do not go together. It reads like that of
// [Set.Parse].
func (s *Set) Wrong(problems ...error) error {
	all := multierror.Append(nil, problems...)
	all.ErrorFormat = listing(s.config.Program)
	return all.ErrorOrNil()
}

// listing is how the problems of one command line read together.
func listing(program string) multierror.ErrorFormatFunc {
	return func(problems []error) string {
		var b strings.Builder
		if len(problems) == 1 {
			b.WriteString(problems[0].Error())
		} else {
			fmt.Fprintf(&b, "%d problems with the flags:", len(problems))
			for _, p := range problems {
				b.WriteString("\n  * " + p.Error())
			}
		}
		fmt.Fprintf(&b, "\nSee %s --help for all flags.", program)
		return b.String()
	}
}

// nearest returns the declared name or alias most like name, "" if none is like it; for an old name the one that
// replaced it.
func (s *Set) nearest(name string) string {
	means := map[string]string{}
	for _, f := range s.flags {
		means[f.name] = f.name
		for _, a := range f.aliases {
			means[a.name] = a.name
			if a.deprecated {
				means[a.name] = f.name
			}
		}
	}
	return means[nearest.Name(name, slices.Sorted(maps.Keys(means)))]
}

package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/hashicorp/go-multierror"
)

// maxProblems bounds how many problems of one text are reported: beyond it a text is not a manifest with slips but
// something else.
const maxProblems = 50

const moreProblems = "more problems follow; they are not listed"

// Problem is one thing wrong with a manifest. Errors of this package hold one or more; errors.As finds the first.
// Its text never holds a parameter's value, as that may be a secret, with one exception: a number written where a string
// belongs is repeated to show how to quote it, unless its key looks secret ([LooksSecret]).
type Problem struct {
	At   Position
	Text string
	Err  error // the cause, if another package reported it
}

func (p *Problem) Error() string {
	if p.At == (Position{}) {
		return p.Text
	}
	return p.At.String() + ": " + p.Text
}

func (p *Problem) Unwrap() error { return p.Err }

// Parts are the error in two: what is wrong, with its place, and what mends it. The texts of this package put the second
// after a semicolon; where there is none, the cause or the place tells.
func (p *Problem) Parts() (problem, mend string) {
	problem = p.Error()
	if _, way, ok := cutUnquoted(p.Text, "; "); ok {
		return strings.TrimSuffix(problem, "; "+way), way
	}
	switch {
	case errors.Is(p.Err, fs.ErrNotExist):
		return problem, "correct the path"
	case errors.Is(p.Err, syscall.ENOTDIR):
		return problem, "name a folder; one file is given as --modules=file:///path"
	case errors.Is(p.Err, fs.ErrPermission):
		return problem, "let the user of the daemon read it"
	case p.At.Line > 0:
		return problem, fmt.Sprintf("correct line %d, column %d of %s", p.At.Line, p.At.Column, p.At.Source)
	default:
		return problem, "give the manifest in one of the forms that --help shows"
	}
}

// cutUnquoted is strings.Cut at the first separator that does not stand in double quotes.
func cutUnquoted(text, separator string) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case quoted && text[i] == '\\':
			i++
		case !quoted && strings.HasPrefix(text[i:], separator):
			return text[:i], text[i+len(separator):], true
		}
	}
	return text, "", false
}

// join makes one error of all problems, nil of none.
func join(problems []*Problem) error {
	all := &multierror.Error{ErrorFormat: listing}
	for _, p := range problems {
		all.Errors = append(all.Errors, p)
	}
	return all.ErrorOrNil()
}

func listing(problems []error) string {
	if len(problems) == 1 {
		return problems[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d problems:", len(problems))
	for _, p := range problems {
		b.WriteString("\n  * ")
		b.WriteString(p.Error())
	}
	return b.String()
}

package manifest

import (
	"fmt"
	"strings"

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

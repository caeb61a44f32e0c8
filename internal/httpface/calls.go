package httpface

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// calculation is what one calculator made of the question.
type calculation struct {
	Module string `json:"module"`
	Result *int32 `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// calculators asks every bound calculator, in flag order.
func (f *Face) calculators(w http.ResponseWriter, r *http.Request) {
	q := query{values: r.URL.Query()}
	a, b := q.char("a"), q.integer("b", 64)
	if q.err != nil {
		fail(w, r, http.StatusBadRequest, problem{Error: q.err.Error()})
		return
	}
	results := []calculation{}
	for _, c := range f.c.Calculators {
		made := calculation{Module: c.Module}
		if n, err := c.Compute(r.Context(), a, b); err != nil {
			made.Error = err.Error()
		} else {
			made.Result = &n
		}
		results = append(results, made)
	}
	answer(w, http.StatusOK, map[string]any{"calculators": results})
}

// testModule calls one method of the bound TestModule.
func (f *Face) testModule(w http.ResponseWriter, r *http.Request) {
	if f.c.TestModule == nil {
		fail(w, r, http.StatusServiceUnavailable, problem{Error: "this daemon has no site for a TestModule"})
		return
	}
	q := query{values: r.URL.Query()}
	call := callOf(f.c.TestModule, &q)
	if q.err != nil {
		fail(w, r, http.StatusBadRequest, problem{Error: q.err.Error()})
		return
	}
	result, err := call(r.Context())
	switch {
	case errors.Is(err, handle.ErrUnbound):
		fail(w, r, http.StatusServiceUnavailable, problem{Error: err.Error()})
	case err != nil:
		fail(w, r, http.StatusInternalServerError, problem{Error: err.Error()})
	default:
		answer(w, http.StatusOK, map[string]any{"method": q.values.Get("method"), "result": result})
	}
}

// callOf reads the arguments of the method that is asked for.
func callOf(m testmodule.TestModule, q *query) func(context.Context) (any, error) {
	switch method := q.values.Get("method"); method {
	case "foo":
		a, b := q.char("a"), q.integer("b", 64)
		return func(ctx context.Context) (any, error) { return m.Foo(ctx, a, b) }
	case "bar":
		a, b := q.number("a"), q.number("b")
		return func(ctx context.Context) (any, error) { return m.Bar(ctx, float32(a), b) }
	case "baz":
		a, b := q.integer("a", 32), q.integer("b", 32)
		return func(ctx context.Context) (any, error) { return m.Baz(ctx, int32(a), int32(b)) }
	case "parameters":
		return func(ctx context.Context) (any, error) { return m.Parameters(ctx) }
	default:
		q.err = fmt.Errorf("method is one of foo, bar, baz and parameters, and not %q", method)
		return nil
	}
}

// query reads arguments and keeps the first thing that is wrong with them.
type query struct {
	values url.Values
	err    error
}

// char is a character, or the number of one in several digits.
func (q *query) char(name string) byte {
	text := q.values.Get(name)
	if len(text) == 1 {
		return text[0]
	}
	n, err := strconv.ParseUint(text, 10, 8)
	q.check(name, "a character like A, or its number like 65", err)
	return byte(n)
}

func (q *query) integer(name string, bits int) int64 {
	n, err := strconv.ParseInt(q.values.Get(name), 10, bits)
	q.check(name, fmt.Sprintf("a whole number of %d bits", bits), err)
	return n
}

func (q *query) number(name string) float64 {
	n, err := strconv.ParseFloat(q.values.Get(name), 64)
	q.check(name, "a number like 0.5", err)
	return n
}

func (q *query) check(name, want string, err error) {
	if err != nil && q.err == nil {
		q.err = fmt.Errorf("%s is %s, and not %q", name, want, q.values.Get(name))
	}
}

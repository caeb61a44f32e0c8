package bridge_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles"
)

// Every method of every role carries whatever its types can hold, there and back.
func TestEveryMethodOfEveryRole(t *testing.T) {
	p := samePair(t)
	for _, role := range roles.Table() {
		if role.Type == nil {
			continue
		}
		t.Run(role.Name, func(t *testing.T) {
			var answer atomic.Value
			stub := reflect.ValueOf(p.stub(t, role.Name, echoOf(role.Name, func(m string, ctx context.Context, in ...any) ([]any, error) {
				return answer.Load().(answerFunc)(m, ctx, in...)
			})))
			for i := range role.Type.NumMethod() {
				method := role.Type.Method(i)
				t.Run(method.Name, func(t *testing.T) {
					r := rand.New(rand.NewPCG(1, uint64(i)))
					for range 25 {
						echo(t, r, stub.MethodByName(method.Name), method, &answer)
					}
				})
			}
		})
	}
}

// echo makes one call with random values, whose answer are random values.
func echo(t *testing.T, r *rand.Rand, call reflect.Value, method reflect.Method, answer *atomic.Value) {
	in := []reflect.Value{reflect.ValueOf(t.Context())}
	var said []reflect.Value // to the sinks
	var heard values
	for i := 1; i < method.Type.NumIn(); i++ {
		if of := method.Type.In(i); of.Kind() == reflect.Func {
			in = append(in, reflect.MakeFunc(of, func(args []reflect.Value) []reflect.Value {
				heard.add(args[0])
				return nil
			}))
			for range r.IntN(4) {
				said = append(said, anyValue(r, of.In(0)))
			}
			continue
		}
		in = append(in, anyValue(r, method.Type.In(i)))
	}
	var out []reflect.Value
	for i := range method.Type.NumOut() - 1 {
		out = append(out, anyValue(r, method.Type.Out(i)))
	}
	var fails error
	if r.IntN(5) == 0 {
		fails = &fs.PathError{Op: "echo", Path: anyText(r), Err: fs.ErrExist}
	}
	var came atomic.Bool
	answer.Store(answerFunc(func(name string, _ context.Context, args ...any) ([]any, error) {
		came.Store(true)
		require.Equal(t, method.Name, name)
		require.Len(t, args, len(in)-1)
		for i, got := range args {
			if sink := reflect.ValueOf(got); sink.Kind() == reflect.Func {
				for _, v := range said {
					sink.Call([]reflect.Value{v})
				}
				continue
			}
			requireSame(t, in[i+1], reflect.ValueOf(got))
		}
		results := make([]any, len(out))
		for i, v := range out {
			results[i] = v.Interface()
		}
		return results, fails
	}))
	got := call.Call(in)
	require.True(t, came.Load())
	err, _ := got[len(got)-1].Interface().(error)
	if fails != nil {
		require.EqualError(t, err, fails.Error())
		require.ErrorIs(t, err, fs.ErrExist)
		require.False(t, errors.Is(err, fs.ErrNotExist))
		for i := range out {
			require.True(t, got[i].IsZero())
		}
	} else {
		require.NoError(t, err)
		for i := range out {
			requireSame(t, out[i], got[i])
		}
	}
	require.Len(t, heard.get(), len(said))
	for i, v := range said {
		requireSame(t, v, heard.get()[i])
	}
}

// values are collected in goroutines that only the two sides' words order.
type values struct {
	mu  sync.Mutex
	all []reflect.Value
}

func (s *values) add(v reflect.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, v)
}

func (s *values) get() []reflect.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

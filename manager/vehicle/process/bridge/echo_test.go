package bridge_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"reflect"
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
			var answer answerFunc
			stub := reflect.ValueOf(p.stub(t, role.Name, echoOf(role.Name, func(m string, ctx context.Context, in ...any) ([]any, error) {
				return answer(m, ctx, in...)
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
func echo(t *testing.T, r *rand.Rand, call reflect.Value, method reflect.Method, answer *answerFunc) {
	in := []reflect.Value{reflect.ValueOf(t.Context())}
	var said, heard []reflect.Value // by the sinks
	for i := 1; i < method.Type.NumIn(); i++ {
		if of := method.Type.In(i); of.Kind() == reflect.Func {
			in = append(in, reflect.MakeFunc(of, func(args []reflect.Value) []reflect.Value {
				heard = append(heard, args[0])
				return nil
			}))
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
	came := false
	*answer = func(name string, _ context.Context, args ...any) ([]any, error) {
		came = true
		require.Equal(t, method.Name, name)
		require.Len(t, args, len(in)-1)
		for i, got := range args {
			if sink := reflect.ValueOf(got); sink.Kind() == reflect.Func {
				for range r.IntN(4) {
					v := anyValue(r, sink.Type().In(0))
					said = append(said, v)
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
	}
	got := call.Call(in)
	require.True(t, came)
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
	require.Len(t, heard, len(said))
	for i := range said {
		requireSame(t, said[i], heard[i])
	}
}

package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func TestRoles(t *testing.T) {
	t.Run("every role that has an interface crosses, with all its methods", func(t *testing.T) {
		known := bridge.Roles()
		for _, role := range roles.Table() {
			if role.Type == nil {
				continue
			}
			i := slices.IndexFunc(known, func(r wire.RoleMethods) bool { return r.Role == role.Name })
			require.GreaterOrEqual(t, i, 0, role.Name)
			var methods []string
			for j := range role.Type.NumMethod() {
				methods = append(methods, role.Type.Method(j).Name)
			}
			require.ElementsMatch(t, methods, known[i].Methods)
			known = slices.Delete(known, i, i+1)
		}
		require.Empty(t, known)
	})
	t.Run("what is returned is the caller's", func(t *testing.T) {
		bridge.Roles()[0].Methods[0] = "changed"
		require.NotEqual(t, "changed", bridge.Roles()[0].Methods[0])
	})
	t.Run("a role that is not known", func(t *testing.T) {
		_, ok := bridge.Stub("Nothing", wire.NewConn(wire.Config{}).Remote(1))
		require.False(t, ok)
		_, ok = bridge.Servant("Nothing", adder{})
		require.False(t, ok)
	})
	t.Run("an instance of another role, or none", func(t *testing.T) {
		for _, instance := range []any{echoing{}, nil, 7} {
			_, ok := bridge.Servant("Calculator", instance)
			require.False(t, ok)
		}
	})
}

// calculate is a Calculator that is a function.
type calculate func(ctx context.Context, a byte, b int64) (int32, error)

func (f calculate) Compute(ctx context.Context, a byte, b int64) (int32, error) { return f(ctx, a, b) }

func (p pair) calculator(t testing.TB, f calculate) calculator.Calculator {
	return p.stub(t, "Calculator", f).(calculator.Calculator)
}

func TestCalls(t *testing.T) {
	p := samePair(t)
	t.Run("from many goroutines", func(t *testing.T) {
		c := p.calculator(t, adder{}.Compute)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for j := range 50 {
					n, err := c.Compute(t.Context(), byte(i), int64(j))
					if n != int32(i+j) || err != nil {
						t.Errorf("%d + %d is %d, %v", i, j, n, err)
					}
				}
			})
		}
		all.Wait()
	})
	t.Run("a caller that gives up ends the instance's context", func(t *testing.T) {
		inside := make(chan struct{})
		c := p.calculator(t, func(ctx context.Context, _ byte, _ int64) (int32, error) {
			close(inside)
			<-ctx.Done()
			return 7, ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-inside; cancel() }()
		n, err := c.Compute(ctx, 1, 2)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, n)
	})
	t.Run("the deadline crosses", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		left := make(chan time.Duration, 1)
		_, err := p.calculator(t, func(ctx context.Context, _ byte, _ int64) (int32, error) {
			deadline, _ := ctx.Deadline()
			left <- time.Until(deadline)
			return 0, nil
		}).Compute(ctx, 1, 2)
		require.NoError(t, err)
		require.InDelta(t, time.Hour, <-left, float64(time.Minute))
	})
	t.Run("a deadline that passes ends both sides", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := p.calculator(t, func(ctx context.Context, _ byte, _ int64) (int32, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}).Compute(ctx, 1, 2)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("errors keep what they are, in a tree", func(t *testing.T) {
		_, err := p.calculator(t, func(context.Context, byte, int64) (int32, error) {
			return 3, fmt.Errorf("compute: %w", errors.Join(io.EOF, &vehicle.GoneError{Module: "other", Detail: "exit status 1"}))
		}).Compute(t.Context(), 1, 2)
		require.ErrorIs(t, err, io.EOF)
		gone, ok := errors.AsType[*vehicle.GoneError](err)
		require.True(t, ok)
		require.Equal(t, "other", gone.Module)
	})
	t.Run("an instance that was taken back", func(t *testing.T) {
		servant, _ := bridge.Servant("Calculator", adder{})
		id := p.module.Export(servant)
		stub, _ := bridge.Stub("Calculator", p.daemon.Remote(id))
		p.module.Withdraw(id)
		_, err := stub.(calculator.Calculator).Compute(t.Context(), 1, 2)
		require.Equal(t, &wire.UnknownObjectError{ID: id}, err)
	})
	t.Run("an instance of another role behind the stub", func(t *testing.T) {
		servant, _ := bridge.Servant("Authenticatee", echoing{})
		stub, _ := bridge.Stub("Calculator", p.daemon.Remote(p.module.Export(servant)))
		_, err := stub.(calculator.Calculator).Compute(t.Context(), 1, 2)
		require.IsType(t, &wire.UnknownMethodError{}, err)
	})
	t.Run("a context that lasts", func(t *testing.T) {
		given := make(chan context.Context, 1)
		a := p.stub(t, "Anonymous", run(func(ctx context.Context) error { given <- ctx; return nil })).(anonymous.Anonymous)
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, a.Run(ctx))
		there := <-given
		require.NoError(t, there.Err())
		cancel()
		<-there.Done()
	})
}

type run func(context.Context) error

func (f run) Run(ctx context.Context) error { return f(ctx) }

// bound puts a stub behind a handle, as the manager does.
func bound(t *testing.T, instance any, panicked func(method string, value any, stack []byte)) handle.Handle {
	t.Helper()
	h, err := handle.New("Calculator", handle.Options{Role: "Calculator", Module: "org_example", Panicked: panicked})
	require.NoError(t, err)
	require.NoError(t, h.Bind(instance))
	return h
}

func TestPanics(t *testing.T) {
	for name, explode := range map[string]func(){
		"boom":                   func() { panic("boom") },
		"it ended its goroutine": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			p := samePair(t)
			fuse := true
			var mu sync.Mutex
			c := p.calculator(t, func(context.Context, byte, int64) (int32, error) {
				mu.Lock()
				defer mu.Unlock()
				if fuse {
					fuse = false
					explode()
				}
				return 1, nil
			})
			var value any
			h := bound(t, c, func(_ string, v any, _ []byte) { value = v }).(calculator.Calculator)
			_, err := h.Compute(t.Context(), 1, 2)
			var ours *handle.PanicError
			require.ErrorAs(t, err, &ours)
			require.EqualError(t, err, "module org_example (role Calculator) panicked in Compute: "+name)
			theirs, ok := value.(*wire.PanicError)
			require.True(t, ok)
			require.Equal(t, "Compute", theirs.Method)
			if name == "boom" {
				require.Contains(t, theirs.Stack, "TestPanics")
			}
			n, err := h.Compute(t.Context(), 1, 2)
			require.NoError(t, err, "other calls are not affected")
			require.Equal(t, int32(1), n)
		})
	}
}

// A module in one process that requires one in another calls it by way of the daemon.
func TestThroughTheDaemon(t *testing.T) {
	unbound := wire.Identity{Name: "handle.ErrUnbound", Error: handle.ErrUnbound}
	daemon := wire.Config{Hello: hello(), Identities: []wire.Identity{unbound}}
	required := newPair(t, daemon, wire.Config{Hello: hello()})
	requirer := newPair(t, daemon, wire.Config{Hello: hello()})

	h := bound(t, required.calculator(t, adder{}.Compute), nil)
	servant, ok := bridge.Servant("Calculator", h)
	require.True(t, ok)
	stub, ok := bridge.Stub("Calculator", requirer.module.Remote(requirer.daemon.Export(servant)))
	require.True(t, ok)
	inner := stub.(calculator.Calculator)
	outer := requirer.calculator(t, func(ctx context.Context, a byte, b int64) (int32, error) {
		n, err := inner.Compute(ctx, a, b)
		if err != nil {
			return 0, fmt.Errorf("ask another: %w", err)
		}
		return 2 * n, nil
	})
	n, err := outer.Compute(t.Context(), 20, 1)
	require.NoError(t, err)
	require.Equal(t, int32(42), n)

	require.NoError(t, h.Unbind(t.Context()))
	_, err = outer.Compute(t.Context(), 20, 1)
	require.EqualError(t, err, "ask another: role Calculator: Compute: no module is bound")
	require.ErrorIs(t, err, handle.ErrUnbound)
}

// without is what an older build says of itself.
func without(role string, methods ...string) wire.Hello {
	h := wire.Hello{Mesos: "1.11.0"}
	for _, r := range bridge.Roles() {
		if r.Role == role {
			r.Methods = slices.DeleteFunc(r.Methods, func(m string) bool { return slices.Contains(methods, m) })
		}
		h.Roles = append(h.Roles, r)
	}
	return h
}

func TestOtherReleases(t *testing.T) {
	never := func(method string, _ context.Context, _ ...any) ([]any, error) {
		return make([]any, 4), errors.New(method + " was called")
	}
	t.Run("what an older side lacks is answered by the default", func(t *testing.T) {
		p := newPair(t, wire.Config{Hello: hello()}, wire.Config{Hello: without("TestModule", "Baz", "Parameters")})
		m := p.stub(t, "TestModule", echoOf("TestModule", never)).(testmodule.TestModule)
		n, err := m.Baz(t.Context(), 1, 2)
		require.NoError(t, err)
		require.Equal(t, int32(-1), n)
		all, err := m.Parameters(t.Context())
		require.NoError(t, err)
		require.Nil(t, all)
		_, err = m.Foo(t.Context(), 1, 2)
		require.EqualError(t, err, "Foo was called")
	})
	t.Run("where there is no default by an error that names both", func(t *testing.T) {
		p := newPair(t, wire.Config{Hello: hello()}, wire.Config{Hello: without("TestModule", "Foo")})
		m := p.stub(t, "TestModule", echoOf("TestModule", never)).(testmodule.TestModule)
		_, err := m.Foo(t.Context(), 1, 2)
		require.EqualError(t, err, "method TestModule.Foo is not known to the other process, which was built for Mesos 1.11.0 (this one for 1.12.0)")
		require.IsType(t, &wire.UnknownMethodError{}, err)
	})
	t.Run("a newer side has more, which nobody asks for", func(t *testing.T) {
		newer := hello()
		newer.Mesos = "1.13.0"
		for i := range newer.Roles {
			newer.Roles[i].Methods = append([]string{"Added"}, newer.Roles[i].Methods...)
		}
		newer.Roles = append([]wire.RoleMethods{{Role: "Novel", Methods: []string{"Do"}}}, newer.Roles...)
		p := newPair(t, wire.Config{Hello: hello()}, wire.Config{Hello: newer})
		n, err := p.calculator(t, adder{}.Compute).Compute(t.Context(), 1, 2)
		require.NoError(t, err)
		require.Equal(t, int32(3), n)
	})
	t.Run("a newer side that asks for more gets an error", func(t *testing.T) {
		p := samePair(t)
		servant, _ := bridge.Servant("Calculator", adder{})
		_, err := p.module.Remote(p.daemon.Export(servant)).Call(t.Context(), "Added", nil)
		require.EqualError(t, err, "method Calculator.Added is not known to the other process, which was built for Mesos 1.12.0 (this one for 1.12.0)")
	})
	t.Run("parameters and results that are newer are passed over, and those that an older side does not send are zero", func(t *testing.T) {
		p := samePair(t)
		servant, _ := bridge.Servant("Calculator", adder{})
		r := p.daemon.Remote(p.module.Export(servant))
		e := wire.NewEncoder()
		e.Byte(1)
		e.Int64(2)
		e.String("something that only a newer side sends")
		in, err := r.Call(t.Context(), "Compute", e)
		require.NoError(t, err)
		require.Equal(t, int32(3), in.Int32())
		require.Empty(t, in.Strings())
		require.NoError(t, in.Err())
		e = wire.NewEncoder()
		e.Byte(1)
		in, err = r.Call(t.Context(), "Compute", e)
		require.NoError(t, err)
		require.Equal(t, int32(1), in.Int32())
	})
	t.Run("fields that a message has only there come back as they went", func(t *testing.T) {
		p := samePair(t)
		h := p.stub(t, "Hook", echoOf("Hook", func(_ string, _ context.Context, in ...any) ([]any, error) { return in[1:], nil })).(hook.Hook)
		status := &mesosv1.TaskStatus{TaskId: &mesosv1.TaskID{Value: new("t")}}
		status.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 5000, protowire.BytesType), "novel"))
		back, err := h.SlaveTaskStatusDecorator(t.Context(), nil, status)
		require.NoError(t, err)
		require.True(t, proto.Equal(status, back))
		require.Equal(t, status.ProtoReflect().GetUnknown(), back.ProtoReflect().GetUnknown())
	})
}

package moduletest

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles/testmodule"
)

func testModuleChecks() []check {
	return []check{
		{"Foo returns the sum of a and b", func(b *bench) {
			_, m := loaded[testmodule.TestModule](b)
			for _, c := range []struct {
				a    byte
				b    int64
				want int32
			}{{'A', 1024, 1089}, {0, 0, 0}, {1, -1, 0}, {127, -300, -173}} { // above 127 a char of C++ may be negative
				got, err := m.Foo(b.Context(), c.a, c.b)
				require.NoError(b, err)
				assert.Equal(b, c.want, got, "Foo(%d, %d)", c.a, c.b)
			}
		}},
		{"Bar returns the product of a and b, truncated", func(b *bench) {
			_, m := loaded[testmodule.TestModule](b)
			for _, c := range []struct {
				a    float32
				b    float64
				want int32
			}{{0.5, 10.8, 5}, {-0.5, 10.8, -5}, {2, 3, 6}, {0, 1, 0}} {
				got, err := m.Bar(b.Context(), c.a, c.b)
				require.NoError(b, err)
				assert.Equal(b, c.want, got, "Bar(%v, %v)", c.a, c.b)
			}
		}},
		{"Baz returns the sum if the operation is sum, and -1 otherwise", baz},
		{"Parameters returns those the instance was made with, in their order", parametersKept},
		{"it is called from any number of goroutines", func(b *bench) {
			k, m := loaded[testmodule.TestModule](b)
			k.Hammer(8, 100, func(ctx context.Context, g, call int) error {
				sum, err := m.Foo(ctx, byte(g), int64(call))
				if err == nil && int(sum) != g+call {
					err = fmt.Errorf("Foo(%d, %d) is %d", g, call, sum)
				}
				_, _ = m.Bar(ctx, 1, 1)
				_, _ = m.Baz(ctx, 1, 1)
				_, _ = m.Parameters(ctx)
				return err
			})
		}},
		{"a cancelled ctx means that nobody waits for the answer", func(b *bench) {
			_, m := loaded[testmodule.TestModule](b)
			b.returns("Foo", func() { _, _ = m.Foo(ended(), 1, 1) })
			b.returns("Bar", func() { _, _ = m.Bar(ended(), 1, 1) })
			b.returns("Baz", func() { _, _ = m.Baz(ended(), 1, 1) })
			b.returns("Parameters", func() { _, _ = m.Parameters(ended()) })
		}},
	}
}

// baz asks for both, with and without the parameter. A module that is older than the
// method has the default of both methods: -1, and no parameters.
func baz(b *bench) {
	k, m := loaded[testmodule.TestModule](b)
	given, err := m.Parameters(b.Context())
	require.NoError(b, err)
	got, err := m.Baz(b.Context(), 5, 10)
	require.NoError(b, err)
	if _, set := k.o.parameters[b.module]; !set {
		assert.EqualValues(b, -1, got, "without an operation")
	}
	with, sums := loaded[testmodule.TestModule](b, Parameter(b.module, "operation", "sum"))
	operations := with.o.parameters[b.module]
	got, err = sums.Baz(b.Context(), 5, 10)
	require.NoError(b, err)
	shown, err := sums.Parameters(b.Context())
	require.NoError(b, err)
	if old := len(given) == 0 && len(shown) == 0 && got == -1; !old && operations[0].Value == "sum" {
		assert.EqualValues(b, 15, got, "with the operation sum")
	}
}

func parametersKept(b *bench) {
	more := []Option{Parameter(b.module, "operation", "sum"), Parameter(b.module, "operation", "sum")}
	k := b.kit(more...)
	if moduleIn(k.described, b.module).HasSchema {
		k = b.kit() // another key, or one twice, may be against the schema
	}
	m := Load[testmodule.TestModule](k, b.module)
	var want []string
	for _, p := range k.o.parameters[b.module] {
		want = append(want, p.Key+"="+p.Value)
	}
	got, err := m.Parameters(b.Context())
	require.NoError(b, err)
	if old, err := m.Baz(b.Context(), 5, 10); err == nil && old == -1 && len(got) == 0 {
		return // a module that is older than the method has its default
	}
	assert.Equal(b, len(want), len(got))
	for i := range min(len(want), len(got)) {
		assert.Equal(b, want[i], got[i])
	}
}

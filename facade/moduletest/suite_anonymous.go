package moduletest

import (
	"context"
	"errors"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/roles/anonymous"
)

func anonymousChecks() []check {
	return []check{
		{"Run returns at once, or stays until ctx ends", func(b *bench) {
			_, m := loaded[anonymous.Anonymous](b)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			result := make(chan error, 1)
			go func() { result <- m.Run(ctx) }()
			cancel()
			b.returns("Run, whose ctx has ended,", func() { stopped(b, <-result) })
		}},
		{"Run with a ctx that has ended returns", func(b *bench) {
			_, m := loaded[anonymous.Anonymous](b)
			b.returns("Run", func() { stopped(b, m.Run(ended())) })
		}},
		{"a daemon runs it from bind to teardown", func(b *bench) {
			k := b.kit()
			require.NoError(b, k.Start(b.module))
			k.Close()
			for _, n := range lifecycle.Of[lifecycle.Notice](k.Events()) {
				assert.NotEqual(b, b.module, n.Module, "%s", n.Text)
			}
		}},
	}
}

// stopped holds that Run ended in peace: that it was told to is no error of its own.
func stopped(b *bench, err error) {
	b.Helper()
	if err != nil {
		assert.True(b, errors.Is(err, context.Canceled), "Run ends with an error: %v", err)
	}
}

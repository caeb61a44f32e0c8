package moduletest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/diskprofileadaptor"
)

func diskProfileAdaptorChecks() []check {
	provider := &mesosv1.ResourceProviderInfo{Type: proto.String("org.example.provider"), Name: proto.String("moduletest")}
	return []check{
		{"a profile that nobody has declared is an error", func(b *bench) {
			k, a := loaded[diskprofileadaptor.DiskProfileAdaptor](b)
			_, err := a.Translate(b.Context(), "moduletest-nowhere", provider)
			assert.Error(b, err)
			assert.Empty(b, panics(k))
		}},
		{"Watch returns at once", func(b *bench) {
			_, a := loaded[diskprofileadaptor.DiskProfileAdaptor](b)
			b.returns("Watch", func() { assert.NoError(b, a.Watch(b.Context(), nil, provider, func([]string) {})) })
		}},
		{"sink hears of profiles that are gone", func(b *bench) {
			_, a := loaded[diskprofileadaptor.DiskProfileAdaptor](b)
			heard := make(chan []string, 1)
			err := a.Watch(b.Context(), []string{"moduletest-nowhere"}, provider, func(profiles []string) {
				select {
				case heard <- profiles:
				default: // the first answer is enough
				}
			})
			assert.NoError(b, err)
			b.returns("sink", func() { assert.NotContains(b, <-heard, "moduletest-nowhere") })
		}},
		{"any number of goroutines may call", func(b *bench) {
			k, a := loaded[diskprofileadaptor.DiskProfileAdaptor](b)
			k.Hammer(8, 10, func(ctx context.Context, _, _ int) error {
				_, _ = a.Translate(ctx, "moduletest-nowhere", provider)
				return nil
			})
			assert.Empty(b, panics(k))
		}},
	}
}

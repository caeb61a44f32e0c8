package moduletest

import (
	"context"
	"slices"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authorizer"
)

func authorizerChecks() []check {
	return []check{
		{"the answer has one value for each request", func(b *bench) {
			_, a := loaded[authorizer.Authorizer](b)
			for n := range 3 {
				allowed, err := a.Authorize(b.Context(), authorizations()[:n])
				require.NoError(b, err)
				assert.Len(b, allowed, n)
			}
		}},
		{"every action is answered, about an object, about none, and for nobody", func(b *bench) {
			k, a := loaded[authorizer.Authorizer](b)
			requests := authorizations()
			allowed, err := a.Authorize(b.Context(), requests)
			require.NoError(b, err)
			assert.Len(b, allowed, len(requests))
			assert.Empty(b, panics(k))
		}},
		{"the same requests get the same answers, in their order", func(b *bench) {
			_, a := loaded[authorizer.Authorizer](b)
			requests := authorizations()
			forward, err := a.Authorize(b.Context(), requests)
			require.NoError(b, err)
			slices.Reverse(requests)
			backward, err := a.Authorize(b.Context(), requests)
			require.NoError(b, err)
			slices.Reverse(backward)
			assert.Equal(b, forward, backward)
		}},
		{"any number of goroutines may call", func(b *bench) {
			k, a := loaded[authorizer.Authorizer](b)
			k.Hammer(8, 10, func(ctx context.Context, _, _ int) error {
				_, err := a.Authorize(ctx, authorizations())
				return err
			})
		}},
		{"a call whose ctx has ended returns", func(b *bench) {
			_, a := loaded[authorizer.Authorizer](b)
			b.returns("Authorize", func() { _, _ = a.Authorize(ended(), authorizations()) })
		}},
	}
}

// authorizations are requests of every action, in three shapes.
func authorizations() []*authorization.Request {
	var all []*authorization.Request
	values := authorization.Action_UNKNOWN.Descriptor().Values()
	for i := range values.Len() {
		action := authorization.Action(values.Get(i).Number()).Enum()
		somebody := &authorization.Subject{Value: proto.String("moduletest")}
		all = append(all,
			&authorization.Request{Action: action},
			&authorization.Request{Action: action, Subject: somebody},
			&authorization.Request{Action: action, Subject: somebody, Object: &authorization.Object{
				Value:         proto.String("moduletest"),
				FrameworkInfo: &mesosv1.FrameworkInfo{User: proto.String("user"), Name: proto.String("name"), Roles: []string{"role"}},
			}})
	}
	return all
}

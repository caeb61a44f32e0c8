package fixed_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/resourceestimator/fixed"
	"github.com/mesos-modules/mms/roles/resourceestimator"
)

func parameter(text string) moduletest.Option {
	return moduletest.Parameter(fixed.Name, "resources", text)
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, fixed.Library, fixed.Name, parameter("cpus:2;mem:512"))
}

// uses is an executor that has resources, the first of them revocable if it says so.
func uses(t testing.TB, text string, revocable bool) *mesosv1.ResourceUsage_Executor {
	t.Helper()
	parsed, err := resources.Parse(text, "*")
	require.NoError(t, err)
	all := parsed.Messages()
	for _, m := range all {
		m.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: proto.String("web")}
		if revocable {
			m.Revocable = &mesosv1.Resource_RevocableInfo{}
		}
	}
	return &mesosv1.ResourceUsage_Executor{Allocated: all}
}

func TestOversubscribable(t *testing.T) {
	e := moduletest.Load[resourceestimator.ResourceEstimator](moduletest.New(t, fixed.Library, parameter("cpus:2;mem:512")), fixed.Name)
	for _, c := range []struct {
		name  string
		usage *mesosv1.ResourceUsage
		want  string
	}{
		{"all of it, if nothing runs", &mesosv1.ResourceUsage{}, "cpus{REV}:2; mem{REV}:512"},
		{"all of it, whatever else is used", &mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{uses(t, "cpus:1", false)}}, "cpus{REV}:2; mem{REV}:512"},
		{"what is left, whoever has the rest", &mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{uses(t, "cpus:0.5", true), uses(t, "cpus:1;mem:512", true)}}, "cpus{REV}:0.5"},
		{"nothing, if more is used than there is", &mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{uses(t, "cpus:3;mem:512", true)}}, "{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			left, err := e.Oversubscribable(t.Context(), c.usage)
			require.NoError(t, err)
			sum, err := resources.New(left)
			require.NoError(t, err)
			assert.Equal(t, c.want, sum.String())
		})
	}
	t.Run("what makes no sense is an error", func(t *testing.T) {
		_, err := e.Oversubscribable(t.Context(), &mesosv1.ResourceUsage{Executors: []*mesosv1.ResourceUsage_Executor{{Allocated: []*mesosv1.Resource{{Name: proto.String("cpus")}}}}})
		assert.Error(t, err)
	})
}

func TestWrongParameters(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []moduletest.Option
		want    string
	}{
		{"none", nil, "resources"},
		{"nothing in it", []moduletest.Option{parameter("")}, "there are none"},
		{"no resources", []moduletest.Option{parameter("two")}, "parameter resources"},
		{"less than nothing", []moduletest.Option{parameter("cpus:-1")}, "parameter resources"},
		{"reserved ones", []moduletest.Option{parameter("cpus(web):1")}, "is reserved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[resourceestimator.ResourceEstimator](moduletest.New(t, fixed.Library, c.options...), fixed.Name)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func Example() {
	instance, _ := fixed.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{{Key: "resources", Value: "cpus:14"}})
	lent, _ := instance.(resourceestimator.ResourceEstimator).Oversubscribable(context.Background(), &mesosv1.ResourceUsage{})
	sum, _ := resources.New(lent)
	fmt.Println(sum)
	// Output: cpus{REV}:14
}

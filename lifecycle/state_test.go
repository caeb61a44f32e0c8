package lifecycle_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

// ways are the paths that lead to each state.
var ways = map[lifecycle.State][]lifecycle.State{
	lifecycle.New:           {},
	lifecycle.Loading:       {lifecycle.Loading},
	lifecycle.Loaded:        {lifecycle.Loading, lifecycle.Loaded},
	lifecycle.Unloading:     {lifecycle.Loading, lifecycle.Loaded, lifecycle.Unloading},
	lifecycle.Verifying:     {lifecycle.Loading, lifecycle.Loaded, lifecycle.Verifying},
	lifecycle.Verified:      {lifecycle.Loading, lifecycle.Loaded, lifecycle.Verifying, lifecycle.Verified},
	lifecycle.Instantiating: {lifecycle.Loading, lifecycle.Loaded, lifecycle.Verifying, lifecycle.Verified, lifecycle.Instantiating},
	lifecycle.Instantiated:  {lifecycle.Loading, lifecycle.Loaded, lifecycle.Verifying, lifecycle.Verified, lifecycle.Instantiating, lifecycle.Instantiated},
	lifecycle.Binding:       {lifecycle.Loading, lifecycle.Loaded, lifecycle.Verifying, lifecycle.Verified, lifecycle.Instantiating, lifecycle.Instantiated, lifecycle.Binding},
	lifecycle.Bound:         {lifecycle.Loading, lifecycle.Loaded, lifecycle.Verifying, lifecycle.Verified, lifecycle.Instantiating, lifecycle.Instantiated, lifecycle.Binding, lifecycle.Bound},
	lifecycle.TearingDown:   {lifecycle.TearingDown},
	lifecycle.Down:          {lifecycle.TearingDown, lifecycle.Down},
}

func TestMachine(t *testing.T) {
	legal := map[lifecycle.State]string{
		lifecycle.New:           "[loading tearing down]",
		lifecycle.Loading:       "[new loaded]",
		lifecycle.Loaded:        "[loading unloading verifying tearing down]",
		lifecycle.Unloading:     "[new loaded]",
		lifecycle.Verifying:     "[loaded verified]",
		lifecycle.Verified:      "[instantiating tearing down]",
		lifecycle.Instantiating: "[verified instantiated]",
		lifecycle.Instantiated:  "[binding tearing down]",
		lifecycle.Binding:       "[instantiated bound]",
		lifecycle.Bound:         "[tearing down]",
		lifecycle.TearingDown:   "[down]",
		lifecycle.Down:          "[]",
	}
	for from := lifecycle.New; from <= lifecycle.Down; from++ {
		t.Run("from "+from.String(), func(t *testing.T) {
			possible := []lifecycle.State{}
			for to := lifecycle.New; to <= lifecycle.Down+1; to++ {
				m := lifecycle.NewMachine(nil)
				for _, s := range ways[from] {
					require.NoError(t, m.To(s))
				}
				err := m.To(to)
				if err == nil {
					assert.Equal(t, to, m.State())
					possible = append(possible, to)
					continue
				}
				var illegal *lifecycle.TransitionError
				require.ErrorAs(t, err, &illegal)
				assert.Equal(t, lifecycle.TransitionError{From: from, To: to}, *illegal)
				assert.Equal(t, from, m.State(), "it stays")
			}
			assert.Equal(t, legal[from], fmt.Sprint(possible))
		})
	}
	t.Run("an illegal change names both states", func(t *testing.T) {
		require.EqualError(t, lifecycle.NewMachine(nil).To(lifecycle.Bound), `lifecycle: no way from state "new" to "bound"`)
	})
	t.Run("a change is an event, and observers may ask for the state", func(t *testing.T) {
		bus := lifecycle.NewBus(lifecycle.BusOptions{})
		m := lifecycle.NewMachine(bus)
		var seen []string
		bus.Observe(func(e lifecycle.Event) { seen = append(seen, lifecycle.Line(e)+" = "+m.State().String()) })
		require.NoError(t, m.To(lifecycle.Loading))
		require.Error(t, m.To(lifecycle.Bound))
		assert.Equal(t, []string{"state new -> loading = loading"}, seen)
	})
}

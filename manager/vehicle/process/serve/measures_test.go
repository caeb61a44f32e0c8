package serve

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

func (d *daemon) totals() map[string]float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]float64{}
	for _, m := range d.measured {
		if m.Gauge {
			all[m.Name] = m.Value
		} else {
			all[m.Name] += m.Value
		}
	}
	return all
}

func (d *daemon) heard() []protocol.Measurement {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.measured)
}

func TestMeasures(t *testing.T) {
	t.Run("many changes are told at once, the first at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &daemon{}
			m := newMeasures(d.measure)
			c, g := m.Counter("calls", "How often."), m.Gauge("level", "")
			c.Add(1)
			synctest.Wait()
			require.Equal(t, []protocol.Measurement{{Name: "calls", Help: "How often.", Value: 1}}, d.heard())
			for i := range 1000 {
				c.Add(2)
				g.Set(float64(i))
			}
			synctest.Wait()
			require.Len(t, d.heard(), 1, "not so soon again")
			time.Sleep(pace)
			synctest.Wait()
			require.Len(t, d.heard(), 3)
			assert.Equal(t, map[string]float64{"calls": 2001, "level": 999}, d.totals())
			assert.Same(t, c.(counter).measure, m.Counter("calls", "").(counter).measure, "one name is one measure")
			time.Sleep(pace)
		})
	})
	t.Run("what the daemon did not take is told later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &daemon{err: errors.New("no")}
			m := newMeasures(d.measure)
			m.Counter("calls", "").Add(1)
			time.Sleep(10 * pace)
			d.fail(nil)
			m.Counter("calls", "").Add(1)
			m.flush(t.Context())
			assert.Equal(t, map[string]float64{"calls": 2}, d.totals())
			time.Sleep(10 * pace)
		})
	})
	t.Run("what is no number is not told", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &daemon{}
			m := newMeasures(d.measure)
			for _, v := range []float64{-1, 0, math.NaN(), math.Inf(1)} {
				m.Counter("calls", "").Add(v)
			}
			m.Gauge("level", "").Set(math.NaN())
			m.Gauge("level", "").Set(math.Inf(-1))
			for range 2 {
				m.Counter("large", "").Add(math.MaxFloat64)
			}
			time.Sleep(10 * pace)
			assert.Equal(t, map[string]float64{"large": math.MaxFloat64}, d.totals())
		})
	})
	t.Run("there are only so many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &daemon{}
			m := newMeasures(d.measure)
			for i := range 2 * protocol.MaxMeasures {
				m.Gauge(fmt.Sprint("m", i), "").Set(1)
			}
			time.Sleep(10 * pace)
			assert.Len(t, d.totals(), protocol.MaxMeasures)
		})
	})
}

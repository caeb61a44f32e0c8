package protocol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

func ExampleCut() {
	fmt.Println(protocol.Cut("Zürich", 2) + "|" + protocol.Cut("Zürich", 3) + "|" + protocol.Cut("Zürich", 100))
	// Output: Z|Zü|Zürich
}

func FuzzCut(f *testing.F) {
	f.Add("Zürich", 2)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, text string, longest int) {
		if longest < 0 {
			return
		}
		got := protocol.Cut(text, longest)
		assert.True(t, utf8.ValidString(got))
		assert.LessOrEqual(t, len(got), 3*longest, "what is no text becomes three bytes")
		if utf8.ValidString(text) {
			assert.True(t, strings.HasPrefix(text, got))
			assert.LessOrEqual(t, len(got), longest)
		}
	})
}

func TestRefusal(t *testing.T) {
	across := func(err error) *vehicle.Refusal {
		text, failed := json.Marshal(protocol.Described{Refusal: protocol.Refuse(err)})
		require.NoError(t, failed)
		var d protocol.Described
		require.NoError(t, json.Unmarshal(text, &d))
		var r *vehicle.Refusal
		require.ErrorAs(t, d.Refusal.Error(), &r)
		return r
	}
	t.Run("crosses whole", func(t *testing.T) {
		r := across(fmt.Errorf("open: %w", &vehicle.Refusal{Rule: finding.Handshake, Problem: "p", Mend: "m", Cause: errors.New("c")}))
		assert.Equal(t, finding.Handshake, r.Rule)
		assert.Equal(t, "p; m", r.Error())
		assert.EqualError(t, r.Cause, "c")
	})
	t.Run("is made of any other error", func(t *testing.T) {
		r := across(errors.New("there is no licence"))
		assert.Equal(t, finding.LibraryOpens, r.Rule)
		assert.Equal(t, "there is no licence; look at what the library runs while it is opened", r.Error())
		assert.NoError(t, r.Cause)
	})
	t.Run("is not there without an error", func(t *testing.T) { assert.Nil(t, protocol.Refuse(nil)) })
	t.Run("is bounded, whoever sent it", func(t *testing.T) {
		long := strings.Repeat("\xff", 1<<20)
		sent := &protocol.Refusal{Problem: long, Mend: long, Cause: long}
		assert.Less(t, len(sent.Error().Error()), 10*protocol.MaxText)
		assert.Less(t, len(across(errors.New(long)).Problem), 4*protocol.MaxText)
	})
}

func TestRecordIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	r := protocol.Record{Message: long, Lost: 3}
	for range 1000 {
		r.Attributes = append(r.Attributes, [2]string{long, long})
	}
	bounded := r.Bounded()
	assert.LessOrEqual(t, bounded.Size(), protocol.MaxRecord+protocol.MaxText)
	assert.NotEmpty(t, bounded.Attributes)
	assert.EqualValues(t, 3, bounded.Lost)
	assert.Len(t, r.Attributes, 1000, "the record is the caller's")

	small := protocol.Record{Level: 4, Message: "m", Attributes: [][2]string{{"k", "v"}}}
	assert.Equal(t, small, small.Bounded())
}

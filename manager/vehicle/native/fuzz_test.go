package native

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
)

func seeds(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/seeds/*.so")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := map[string][]byte{}
	for _, path := range paths {
		all[path], err = os.ReadFile(path)
		require.NoError(t, err)
	}
	return all
}

func TestSeeds(t *testing.T) {
	for path, b := range seeds(t) {
		t.Run(filepath.Base(path)+" is what it was", func(t *testing.T) {
			r, mine, err := read(bytes.NewReader(b), int64(len(b)))
			require.True(t, mine)
			if filepath.Base(path) == "plain.so" {
				require.ErrorContains(t, err, "plain shared library")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []string{"bare"}, names(r.description))
			assert.Empty(t, r.description.Modules[0].Flaws)
		})
	}
}

// FuzzRead: whatever the bytes are, the answer is a bounded description or a
// refusal, and it comes soon.
func FuzzRead(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(b[:len(b)-1])
		for _, at := range []int{32, 40, 54, 56, 60, 0x78, 0x120, len(b) / 2, len(b) / 3} {
			flipped := bytes.Clone(b)
			flipped[at] ^= 0xff
			f.Add(flipped)
		}
	}
	f.Add([]byte("#!/bin/sh\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		began := time.Now()
		r, _, err := read(bytes.NewReader(b), int64(len(b)))
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d bytes took %v", len(b), took)
		}
		var refusal *vehicle.Refusal
		if err != nil && (!errors.As(err, &refusal) || !utf8.ValidString(refusal.Problem) || len(refusal.Problem) > 64<<10) {
			t.Errorf("no fit refusal: %v", err)
		}
		if len(r.description.Modules) > maxModules || len(r.description.Modules) != len(r.places) {
			t.Errorf("%d modules at %d places", len(r.description.Modules), len(r.places))
		}
		for _, m := range r.description.Modules {
			for _, text := range []string{m.Name, m.Role, m.Version, m.Author, m.Email, m.Description} {
				if len(text) > 3*4096 || !utf8.ValidString(text) {
					t.Errorf("a text of %d bytes: %q", len(text), text)
				}
			}
		}
	})
}

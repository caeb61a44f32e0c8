package main

import (
	"go/types"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// made is a contract with methods that take one value of the named types; a name with a dash is since 1.13.0.
func made(version string, methods ...string) contract {
	c := contract{row: row{Name: "Probe", Version: version}}
	for _, text := range methods {
		m := method{Name: text[:1], Params: []value{{Name: "a", Type: types.Typ[types.Int32]}}}
		for _, mark := range text[1:] {
			switch mark {
			case '-':
				m.Since = "1.13.0"
			case '!':
				m.Params[0].Type = types.Typ[types.Int64]
			}
		}
		c.Methods = append(c.Methods, m)
	}
	return c
}

func TestChangesOfARole(t *testing.T) {
	old := made("1.12.0", "A", "B")
	for name, c := range map[string]struct {
		now  contract
		says string // empty: compatible
	}{
		"nothing":                        {made("1.12.0", "A", "B"), ""},
		"a method with since at the end": {made("1.12.0", "A", "B", "C-"), ""},
		"a method without since":         {made("1.12.0", "A", "B", "C"), "C is new and has no //mms:since"},
		"a method in between":            {made("1.12.0", "A", "C-", "B"), "C stands where B was"},
		"a method gone":                  {made("1.12.0", "A"), "B is gone"},
		"the first gone":                 {made("1.12.0", "B"), "B stands where A was"},
		"another order":                  {made("1.12.0", "B", "A"), "B stands where A was"},
		"another signature":              {made("1.12.0", "A", "B!"), "B(context.Context, int64) (error) was B(context.Context, int32) (error)"},
		"since added later":              {made("1.12.0", "A", "B-"), "since 1.13.0 was"},
		"a higher version":               {made("1.13.0", "C"), ""},
		"a version of more digits":       {made("1.100.0", "C"), ""},
		"a lower version":                {made("1.11.0", "A", "B"), "went back from 1.12.0 to 1.11.0"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkFingerprints([]contract{c.now}, map[string]fingerprint{"Probe": fingerprintOf(old)})
			if c.says == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "role Probe")
			assert.ErrorContains(t, err, "Version")
		})
	}
	assert.NoError(t, checkFingerprints([]contract{made("1.12.0", "A")}, nil), "a role that is new")
}

func TestFingerprintsAreReadAsTheyAreWritten(t *testing.T) {
	root := t.TempDir()
	none, err := readFingerprints(root)
	require.NoError(t, err)
	assert.Empty(t, none)

	c := made("1.12.0", "A", "B-")
	path := filepath.Join(root, "roles", "fingerprints.txt")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, renderFingerprints([]contract{c}), 0o600))
	read, err := readFingerprints(root)
	require.NoError(t, err)
	assert.Equal(t, map[string]fingerprint{"Probe": fingerprintOf(c)}, read)

	require.NoError(t, os.WriteFile(path, []byte("Probe 1.12.0\n<<<<<<<\n"), 0o600))
	_, err = readFingerprints(root)
	assert.EqualError(t, err, `roles/fingerprints.txt:2: neither a role nor a method of one: "<<<<<<<"`)
}

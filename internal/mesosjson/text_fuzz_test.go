package mesosjson

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzStrings holds strings against encoding/json in both directions.
func FuzzStrings(f *testing.F) {
	for _, seed := range []string{"", "plain", "\"\\\b\f\n\r\t/", "\x00\x1f\x7f", "é€𝄞", "\xff\xc3", "\xed\xa0\x80", `\u0041\ud834\udd1e`, `\ud834`, `\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := appendString(nil, s)
		var theirs string
		require.NoError(t, json.Unmarshal(text, &theirs))
		assert.Equal(t, string([]rune(s)), theirs)
		assert.Equal(t, theirs, string(unescape(text[1:len(text)-1])))

		// The string as the inside of a text of somebody else's.
		quoted := []byte(`"` + s + `"`)
		kind, inside, ok := alone(quoted)
		if !ok {
			return
		}
		require.Equal(t, tokenString, kind)
		require.True(t, json.Valid(quoted), "what is taken for a string is one")
		require.NoError(t, json.Unmarshal(quoted, &theirs))
		assert.Equal(t, theirs, string([]rune(string(unescape(inside)))))
	})
}

package resources

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse wants that any text is refused or makes sound resources, which can
// be added to themselves and taken away again.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, text, role string) {
		r, err := Parse(text, role)
		if err != nil {
			require.True(t, r.Empty())
			require.NotContains(t, err.Error(), "%!")
			return
		}
		for each := range r.All() {
			if each.Scalar() > 1<<53 {
				return // doubles have no thousandths there
			}
		}
		requireSound(t, r)
		require.True(t, r.Contains(r.Add(r).Sub(r)))
		require.True(t, r.Add(r).Contains(r))
		require.True(t, r.Sub(r).Empty(), r.String())
		if !strings.HasPrefix(trim(text), "[") {
			again, err := Parse(text+";", role)
			require.NoError(t, err)
			require.True(t, again.Equal(r))
		}
	})
}

// FuzzAttributes wants that any text is refused or makes valid attributes.
func FuzzAttributes(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		attributes, err := ParseAttributes(text)
		if err != nil {
			require.Nil(t, attributes)
			return
		}
		for _, a := range attributes {
			require.NoError(t, ValidateAttribute(a))
		}
		require.Len(t, AttributeFields(attributes), len(attributes))
	})
}

package resources

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestAttributes(t *testing.T) {
	attributes, err := ParseAttributes("rack:abc;size:1.5\nports:[1-5];url:http://x:1; os : linux 6;nan:nan")
	require.NoError(t, err)
	assert.Equal(t, []Field{
		{Name: "rack", IsText: true, Text: "abc"},
		{Name: "size", Number: 1.5},
		{Name: "ports", IsText: true, Text: "[1-5]"},
		{Name: "url", IsText: true, Text: "http://x:1"},
		{Name: " os ", IsText: true, Text: "linux6"},
		{Name: "nan", IsText: true, Text: "nan"},
	}, AttributeFields(attributes))
	for _, a := range attributes {
		assert.NoError(t, ValidateAttribute(a))
	}
	for text, want := range map[string]string{
		"rack":       "name:value",
		":x":         "name:value",
		"rack:":      "name:value",
		"rack: ":     "value is empty",
		"rack:{a,b}": "SET is not allowed",
		"rack:[1":    "do not match",
		"a:1;b;c":    `"c"`,
	} {
		attributes, err := ParseAttributes(text)
		assert.ErrorContains(t, err, want, text)
		assert.Nil(t, attributes)
	}
	empty, err := ParseAttributes("")
	require.NoError(t, err)
	assert.Empty(t, empty)

	t.Run("are equal in any order", func(t *testing.T) {
		again := slices.Clone(attributes)
		slices.Reverse(again)
		assert.True(t, EqualAttributes(attributes, again))
		assert.False(t, EqualAttributes(attributes, attributes[1:]))
		for _, other := range []string{"rack:abd", "rack:1", "rack:[1-2]"} {
			changed, err := ParseAttributes(other)
			require.NoError(t, err)
			assert.False(t, EqualAttributes(attributes[:1], changed), other)
		}
		near, err := ParseAttributes("size:1.5001")
		require.NoError(t, err)
		assert.True(t, EqualAttributes(attributes[1:2], near))
	})
	t.Run("that come from elsewhere are checked", func(t *testing.T) {
		name := "x"
		assert.ErrorContains(t, ValidateAttribute(&mesosv1.Attribute{}), "name of an attribute is empty")
		assert.ErrorContains(t, ValidateAttribute(&mesosv1.Attribute{Name: &name}), "no value of its type")
		assert.ErrorContains(t, ValidateAttribute(&mesosv1.Attribute{Name: &name, Type: mesosv1.Value_RANGES.Enum()}), "no value of its type")
		assert.ErrorContains(t, ValidateAttribute(&mesosv1.Attribute{Name: &name, Type: mesosv1.Value_SET.Enum(), Set: &mesosv1.Value_Set{}}), "SET is not allowed")
	})
}

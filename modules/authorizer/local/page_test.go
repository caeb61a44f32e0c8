package local

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePageNamesEveryList(t *testing.T) {
	page, err := os.ReadFile("../../../docs/modules/authorizer-local.md")
	require.NoError(t, err)
	for list, objects := range listed {
		assert.Contains(t, string(page), "\n| `"+list+"` | `"+objects+"` | ")
	}
	for action := range actions {
		assert.Contains(t, string(page), "`"+action.String()+"`")
	}
	assert.Equal(t, len(listed), strings.Count(string(page), "\n| `")-1, "and no others; one line is the parameter's")
}

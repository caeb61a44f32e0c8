package nearest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/nearest"
)

func TestName(t *testing.T) {
	for _, r := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"calculater", []string{"allocator", "calculator"}, "calculator"},
		{"CALCULATOR", []string{"calculator"}, "calculator"},
		{"calculator", []string{"CALCULATOR"}, "CALCULATOR"},
		{"abc", []string{"abd", "abe"}, "abd"},
		{"abc", []string{"xyz"}, ""},
		{"a", []string{"bb"}, ""},
		{"a", []string{"b", "A"}, "A"},
		{"ab", []string{"ax"}, "ax"},
		{"", []string{"b"}, ""},
		{"abc", nil, ""},
		{strings.Repeat("a", 201), []string{strings.Repeat("a", 201)}, ""},
		{strings.Repeat("a", 200), []string{strings.Repeat("a", 201), strings.Repeat("a", 200)}, strings.Repeat("a", 200)},
	} {
		assert.Equal(t, r.want, nearest.Name(r.word, r.candidates), r.word)
	}
}

func TestNames(t *testing.T) {
	all := []string{"calx", "calc", "cal", "calc", "other", "calcs"}
	t.Run("the nearest first, then by name, each once", func(t *testing.T) {
		assert.Equal(t, []string{"calc", "cal", "calcs", "calx"}, nearest.Names("calc", all, 9))
	})
	t.Run("as many as are asked for", func(t *testing.T) {
		assert.Equal(t, []string{"calc", "cal"}, nearest.Names("calc", all, 2))
	})
	t.Run("none", func(t *testing.T) { assert.Empty(t, nearest.Names("allocator", all, 3)) })
}

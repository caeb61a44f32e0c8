package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func of(values ...float64) figure { return figure{name: "the other", values: values} }

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name string
		line line
		want string
	}{
		{"there is none without a target", line{ours: of(10)}, ""},
		{"at the limit it is reached", line{ours: of(10), limit: 10}, "reached"},
		{"above the limit it is missed", line{ours: of(10.1), limit: 10}, "missed"},
		{"the median counts, not the worst round", line{ours: of(1, 2, 99), limit: 10}, "reached"},
		{"at the ratio it is reached", line{ours: of(15), theirs: of(10), under: 1.5}, "reached"},
		{"above the ratio it is missed", line{ours: of(15.1), theirs: of(10), under: 1.5}, "missed"},
		{"both have to be kept", line{ours: of(15), theirs: of(10), limit: 20, under: 1}, "missed"},
		{"an allocation is one too many", line{ours: figure{values: []float64{1}, allocs: 1}, limit: 10, without: true}, "missed"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, c.line.verdict()) })
	}
}

func TestRender(t *testing.T) {
	var out strings.Builder
	require.NoError(t, render(&out, []line{
		{what: "a call", ours: of(18.63, 17, 20), theirs: of(10), target: "2 times", under: 2, without: true},
		{what: "…  alone", ours: of(35.5e6), target: "reported"},
		{what: "far off", ours: of(1e6), theirs: of(1e9)},
	}))
	assert.Equal(t, strings.TrimLeft(`
| what     | median (least … most)           | measured against | its median (least … most) | ratio  | to reach |         |
| -------- | ------------------------------- | ---------------- | ------------------------- | ------ | -------- | ------- |
| a call   | 18.6 ns (17.0 … 20.0), 0 allocs | the other        | 10.0 ns (10.0 … 10.0)     | 1.86   | 2 times  | reached |
| …  alone | 35.5 ms (35.5 … 35.5)           |                  |                           |        | reported |         |
| far off  | 1.00 ms (1.00 … 1.00)           | the other        | 1.00 s (1.00 … 1.00)      | 1/1000 |          |         |
`, "\n"), out.String())
}

func TestRenderTellsOfAFullDisk(t *testing.T) {
	full := errors.New("no space left")
	require.ErrorIs(t, render(failing{full}, nil), full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestText(t *testing.T) {
	for want, f := range map[string]figure{
		"1.94 ns (1.94 … 1.94)": of(1.94),
		"135 ns (90.4 … 151)":   of(90.4, 135, 151),
		"77.7 µs (75.6 … 339)":  of(75.6e3, 77.7e3, 339e3),
		"3.60 s (3.60 … 3.60)":  of(3.6e9),
		"23.4 MB (23.4 … 23.4)": {unit: memory, values: []float64{23.4 * (1 << 20)}},
	} {
		t.Run(want, func(t *testing.T) { assert.Equal(t, want, f.text()) })
	}
}

package spawn

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded makes lines of texts that come one after the other; a number lets so many
// milliseconds pass.
func recorded(texts ...any) []string {
	var all []string
	now := time.Unix(1_000_000, 0)
	l := &lines{tell: func(line string) { all = append(all, line) }, now: func() time.Time { return now }}
	for _, text := range texts {
		switch text := text.(type) {
		case string:
			l.write([]byte(text))
		case int:
			now = now.Add(time.Duration(text) * time.Millisecond)
		}
	}
	l.close()
	return all
}

func TestMakingLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []any
		want  []string
	}{
		{"nothing", nil, nil},
		{"whole ones", []any{"a\nb\n"}, []string{"a", "b"}},
		{"in parts", []any{"a", "b\nc", "", "d", "\n", "\n"}, []string{"ab", "cd"}},
		{"the last without an end", []any{"a\nb"}, []string{"a", "b"}},
		{"ends of another kind", []any{"a\r\nb\r", "\n"}, []string{"a", "b"}},
		{"what a terminal would obey", []any{"\x1b[2J\x07a\x00b\tc\u2028d\u200e\n"}, []string{" [2J a b c d "}},
		{"no text", []any{"\xff\xfe\xc3\n"}, []string{"\uFFFD"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, recorded(c.texts...))
		})
	}
}

func TestLongLines(t *testing.T) {
	for _, c := range []struct {
		name, unit string
		count      int
		cut        bool
	}{
		{"that are just not too long", "x", MaxLine, false},
		{"by one byte", "x", MaxLine + 1, true},
		{"by far", "x", 10 * MaxLine, true},
		{"of longer characters", "ä€", MaxLine, true},
		{"that grow when they are made harmless", "\xff\x00", MaxLine / 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Repeat(c.unit, c.count)
			got := recorded(text[:len(text)/3], text[len(text)/3:], "\nnext\n")
			require.Len(t, got, 2)
			assert.Equal(t, "next", got[1])
			assert.LessOrEqual(t, len(got[0]), MaxLine)
			assert.True(t, utf8.ValidString(got[0]))
			if c.cut {
				assert.Regexp(t, ` \(cut: \d+ bytes more\)$`, got[0])
			} else {
				assert.Equal(t, text, got[0])
			}
		})
	}
}

func TestManyLines(t *testing.T) {
	many := strings.Repeat("x\n", maxLines+500)
	t.Run("are left out, which is said before the next", func(t *testing.T) {
		got := recorded(many, 999, "late\n", 1, "next\n")
		require.Len(t, got, maxLines+2)
		assert.Equal(t, []string{
			fmt.Sprintf("(501 lines were dropped: it said more than %d lines or %d bytes in a second)", maxLines, maxBytes), "next",
		}, got[maxLines:])
	})
	t.Run("are left out, which is said at the end", func(t *testing.T) {
		got := recorded(many)
		require.Len(t, got, maxLines+1)
		assert.Contains(t, got[maxLines], "(500 lines were dropped")
	})
	t.Run("are all told if they take their time", func(t *testing.T) {
		assert.Len(t, recorded(many[:2*maxLines], 1000, many[:2*maxLines]), 2*maxLines)
	})
	t.Run("that are long are left out sooner", func(t *testing.T) {
		got := recorded(strings.Repeat(strings.Repeat("x", 60_000)+"\n", 20))
		require.Len(t, got, 18)
		assert.Contains(t, got[17], "(3 lines were dropped")
	})
}

func TestQuote(t *testing.T) {
	flood := strings.Repeat("goroutine 7 [running]:\nmain.main()\n", 1000)
	for _, c := range []struct {
		name, text string
		gave       bool
		want       string
	}{
		{"nothing", "", true, ""},
		{"all, on one line", "one\n\n  two\r\n\x1b[1mthree", false, "one | two | [1mthree"},
		{"the head of a panic", "log\npanic: no\n\tmore [recovered]\n\n" + flood, true, "panic: no | more [recovered]"},
		{"the head of the last panic", "panic: first\n\npanic: second\n\n" + flood, true, "panic: second"},
		{"the head of what Go's runtime says", "runtime: x\nfatal error: all goroutines are asleep - deadlock!\n\n" + flood, true, "fatal error: all goroutines are asleep - deadlock!"},
		{"a panic without an end", "panic: no", true, "panic: no"},
		{"not a panic that was survived", "panic: no\n\ngoing on\n", false, "panic: no | going on"},
		{"not what is within a line", "don't panic: please\n", true, "don't panic: please"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 7, 1 << 20} {
				var s said
				for text := []byte(c.text); len(text) > 0; {
					n := min(size, len(text))
					s.write(text[:n])
					text = text[n:]
				}
				assert.Equal(t, c.want, s.quote(c.gave))
			}
		})
	}
	t.Run("the end is bounded", func(t *testing.T) {
		var s said
		s.write([]byte(strings.Repeat("x", 1<<20) + "end"))
		got := s.quote(false)
		assert.Len(t, got, maxSaid)
		assert.True(t, strings.HasSuffix(got, "xend"))
		assert.LessOrEqual(t, cap(s.tail), 3*maxSaid)
	})
	t.Run("a head is bounded", func(t *testing.T) {
		var s said
		s.write([]byte("panic: " + strings.Repeat("x\n", 1<<20)))
		assert.LessOrEqual(t, len(s.quote(true)), 4*maxHead)
	})
}

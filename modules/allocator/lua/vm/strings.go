package vm

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// strings are those functions of the string library that take no patterns.
func (s *Session) strings() map[string]lua.LGFunction {
	change := func(f func(string) string) lua.LGFunction {
		return func(L *lua.LState) int {
			text := s.text(1)
			s.Take(stringBytes + 2*int64(len(text)))
			s.Work(int64(len(text)) / 32)
			L.Push(lua.LString(f(text)))
			return 1
		}
	}
	return map[string]lua.LGFunction{
		"len":    func(L *lua.LState) int { L.Push(lua.LNumber(len(s.text(1)))); return 1 },
		"lower":  change(strings.ToLower),
		"upper":  change(strings.ToUpper),
		"rep":    s.rep,
		"sub":    s.sub,
		"find":   s.find,
		"byte":   s.byte,
		"format": s.format,
	}
}

func (s *Session) rep(L *lua.LState) int {
	text, n := s.text(1), max(0, L.CheckInt(2))
	if len(text) > 0 && n > int(s.meter.limits.Memory)/len(text) {
		s.Take(s.meter.limits.Memory + 1)
	}
	s.Take(stringBytes + int64(n)*int64(len(text)))
	s.Work(int64(n) * int64(len(text)) / 64)
	L.Push(lua.LString(strings.Repeat(text, n)))
	return 1
}

// sub is a part of the text that is there; it takes no more memory.
func (s *Session) sub(L *lua.LState) int {
	text := s.text(1)
	from, to := place(L.CheckInt(2), len(text)), place(L.OptInt(3, -1), len(text))
	from, to = max(from, 1), min(to, len(text))
	s.Take(stringBytes)
	if from > to {
		L.Push(lua.LString(""))
		return 1
	}
	L.Push(lua.LString(text[from-1 : to]))
	return 1
}

// place counts from the end what is below 0.
func place(i, length int) int {
	if i < 0 {
		return max(0, length+i+1)
	}
	return i
}

// find looks for a text as it is, from a place on: there are no patterns.
func (s *Session) find(L *lua.LState) int {
	text, wanted := s.text(1), s.text(2)
	from := max(place(L.OptInt(3, 1), len(text)), 1)
	s.Work(int64(len(text))/16 + 1)
	at := -1
	if from <= len(text)+1 {
		at = strings.Index(text[from-1:], wanted)
	}
	if at < 0 {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(from + at))
	L.Push(lua.LNumber(from + at + len(wanted) - 1))
	return 2
}

func (s *Session) byte(L *lua.LState) int {
	text := s.text(1)
	at := place(L.OptInt(2, 1), len(text))
	if at < 1 || at > len(text) {
		return 0
	}
	L.Push(lua.LNumber(text[at-1]))
	return 1
}

// format knows %d %s %f %g %e %x %q %%, with widths and precisions of two digits.
func (s *Session) format(L *lua.LState) int {
	layout := s.text(1)
	var b strings.Builder
	arg := 1
	for {
		before, rest, more := strings.Cut(layout, "%")
		b.WriteString(before)
		if !more {
			break
		}
		verb, after := directive(rest)
		switch {
		case verb == "%":
			b.WriteByte('%')
		case verb == "":
			L.RaiseError("format: there is no %%%.4s", rest)
		default:
			arg++
			b.WriteString(s.one(verb, arg))
		}
		layout = after
		s.Take(int64(b.Len()) + stringBytes) // it may have been copied to grow
	}
	L.Push(lua.LString(b.String()))
	return 1
}

// directive takes one off the front of a layout: flags, two digits, two digits, a letter.
func directive(layout string) (verb, rest string) {
	i := 0
	digits := func() {
		for n := 0; n < 2 && i < len(layout) && layout[i] >= '0' && layout[i] <= '9'; n++ {
			i++
		}
	}
	for n := 0; n < 3 && i < len(layout) && strings.IndexByte("-+ 0", layout[i]) >= 0; n++ {
		i++
	}
	digits()
	if i < len(layout) && layout[i] == '.' {
		i++
		digits()
	}
	if i >= len(layout) || strings.IndexByte("dsfgexq%", layout[i]) < 0 || layout[i] == '%' && i > 0 {
		return "", ""
	}
	return layout[:i+1], layout[i+1:]
}

func (s *Session) one(verb string, arg int) string {
	switch verb[len(verb)-1] {
	case 'd', 'x':
		return fmt.Sprintf("%"+verb, int64(s.State.CheckNumber(arg)))
	case 's', 'q':
		text := s.display(s.State.CheckAny(arg))
		s.Take(4*int64(len(text)) + 128) // quotes make four bytes of one
		return fmt.Sprintf("%"+verb, text)
	default:
		return fmt.Sprintf("%"+verb, float64(s.State.CheckNumber(arg)))
	}
}

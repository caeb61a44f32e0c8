package vm

import (
	"cmp"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func (s *Session) tables() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"concat": s.concat, "insert": s.insert, "remove": s.remove, "sort": s.sort}
}

// concat joins the strings and numbers of a list.
func (s *Session) concat(L *lua.LState) int {
	t, between := L.CheckTable(1), ""
	if L.GetTop() > 1 {
		between = s.text(2)
	}
	n := t.Len()
	s.Work(int64(n))
	s.Take(int64(n) * 16)
	parts := make([]string, n)
	size := int64(stringBytes) + int64(n)*int64(len(between))
	for i := range n {
		switch v := t.RawGetInt(i + 1).(type) {
		case lua.LString:
			parts[i] = string(v)
		case lua.LNumber:
			parts[i] = s.display(v)
		default:
			L.RaiseError("concat: value %d of the list is a %s", i+1, v.Type())
		}
		size += int64(len(parts[i]))
	}
	s.Take(size)
	s.Work(size / 64)
	L.Push(lua.LString(strings.Join(parts, between)))
	return 1
}

// insert puts a value at the end of a list, or at a place in it.
func (s *Session) insert(L *lua.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	if L.GetTop() == 2 {
		s.put(t, lua.LNumber(n+1), L.Get(2))
		return 0
	}
	at, value := L.CheckInt(2), L.CheckAny(3)
	if at < 1 || at > n+1 {
		L.RaiseError("insert: the list has %d values, and no place %d", n, at)
	}
	s.Work(int64(n-at) + 1)
	for i := n; i >= at; i-- {
		s.put(t, lua.LNumber(i+1), t.RawGetInt(i))
	}
	s.put(t, lua.LNumber(at), value)
	return 0
}

// remove takes the last value out of a list, or that at a place.
func (s *Session) remove(L *lua.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	at := L.OptInt(2, n)
	if n == 0 || at < 1 || at > n {
		L.Push(lua.LNil)
		return 1
	}
	s.Work(int64(n-at)/16 + 1)
	L.Push(t.Remove(at))
	return 1
}

// sort sorts a list by a function that says whether the first of two comes before the
// second, or numbers and strings by themselves. Equal values keep their order.
func (s *Session) sort(L *lua.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	s.Take(int64(n) * 32)
	values := make([]lua.LValue, n)
	for i := range values {
		values[i] = t.RawGetInt(i + 1)
	}
	compare := s.natural
	if L.GetTop() > 1 {
		before := L.CheckFunction(2)
		compare = func(a, b lua.LValue) int { return s.order(before, a, b) }
	}
	slices.SortStableFunc(values, compare)
	for i, v := range values {
		t.RawSetInt(i+1, v)
	}
	return 0
}

// order asks the script once: a stable sort only wants to know whether a comes first.
func (s *Session) order(before *lua.LFunction, a, b lua.LValue) int {
	s.State.Push(before)
	s.State.Push(a)
	s.State.Push(b)
	s.State.Call(2, 1)
	first := lua.LVAsBool(s.State.Get(-1))
	s.State.Pop(1)
	if first {
		return -1
	}
	return 0
}

func (s *Session) natural(a, b lua.LValue) int {
	s.Work(1)
	switch x := a.(type) {
	case lua.LNumber:
		if y, ok := b.(lua.LNumber); ok {
			return cmp.Compare(float64(x), float64(y))
		}
	case lua.LString:
		if y, ok := b.(lua.LString); ok {
			s.Work(int64(min(len(x), len(y))) / 64)
			return strings.Compare(string(x), string(y))
		}
	}
	s.State.RaiseError("sort: a %s and a %s cannot be compared; give a function that says which comes first", a.Type(), b.Type())
	return 0
}

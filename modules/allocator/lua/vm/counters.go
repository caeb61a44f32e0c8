package vm

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// counters are the functions that the rewritten script calls.
func (s *Session) counters() {
	for name, f := range map[string]lua.LGFunction{
		joinName: s.join, setName: s.set, tableName: s.made, emptyName: s.empty, closureName: s.closure,
	} {
		s.State.SetGlobal(name, s.State.NewFunction(f))
	}
}

// join is the operator ..
func (s *Session) join(L *lua.LState) int {
	size := int64(stringBytes)
	n := L.GetTop()
	parts := make([]string, n)
	for i := range n {
		switch v := L.Get(i + 1).(type) {
		case lua.LString:
			parts[i] = string(v)
		case lua.LNumber:
			parts[i] = s.display(v)
		default:
			L.RaiseError("a %s cannot be joined to a string", v.Type())
		}
		size += int64(len(parts[i]))
	}
	s.Take(size)
	s.Work(size / 64)
	L.Push(lua.LString(strings.Join(parts, "")))
	return 1
}

// set is the assignment to a field.
func (s *Session) set(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		L.RaiseError("a field of a %s cannot be set: it is no table", L.Get(1).Type())
	}
	s.put(t, L.Get(2), L.Get(3))
	return 0
}

// put sets a field, and counts it if it is new. A number gets a place of its own.
func (s *Session) put(t *lua.LTable, key, value lua.LValue) {
	switch k := key.(type) {
	case *lua.LNilType:
		s.State.RaiseError("a field of a table cannot have the key nil")
	case lua.LNumber:
		if math.IsNaN(float64(k)) {
			s.State.RaiseError("a field of a table cannot have a key that is not a number")
		}
	}
	if value != lua.LNil && t.RawGet(key) == lua.LNil {
		s.Take(s.growth(t, key))
	}
	if n, ok := value.(lua.LNumber); ok {
		value = own(n)
	}
	t.RawSet(key, value)
}

// own is a number that shares its place with no others.
//
//go:noinline
func own(n lua.LNumber) lua.LValue { return n }

// growth is what a new field takes. A list has all places up to the last.
func (s *Session) growth(t *lua.LTable, key lua.LValue) int64 {
	n, ok := key.(lua.LNumber)
	if !ok || n < 1 || float64(n) != math.Floor(float64(n)) || n >= lua.LNumber(lua.MaxArrayIndex) {
		return fieldBytes
	}
	length := t.Len()
	if length == 0 {
		return firstSlot + slotBytes*int64(n)
	}
	return slotBytes * max(1, int64(n)-int64(length))
}

// made counts a table that has been constructed.
func (s *Session) made(L *lua.LState) int {
	t := L.CheckTable(2)
	s.Take(int64(L.CheckNumber(1)) + int64(t.Len())*(slotBytes+numberBytes))
	L.Push(t)
	return 1
}

// empty makes a table whose first field takes no more than the others.
func (s *Session) empty(L *lua.LState) int {
	s.Take(tableBytes)
	L.Push(L.CreateTable(0, 1))
	return 1
}

// closure counts a function that has been, or is about to be, made.
func (s *Session) closure(L *lua.LState) int {
	s.Take(s.program.closure)
	if L.GetTop() == 0 {
		return 0
	}
	L.Push(L.Get(1))
	return 1
}

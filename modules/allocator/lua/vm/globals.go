package vm

import (
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// globals fills the globals of a session.
func (s *Session) globals(o Options) {
	s.counters()
	for name, f := range map[string]lua.LGFunction{
		"assert": s.assert, "error": s.error, "tonumber": s.toNumber, "tostring": s.toString, "type": s.kind,
		"ipairs": s.pairs(s.nextIndex, lua.LNumber(0)), "pairs": s.pairs(s.next, lua.LNil), "next": s.next, "unpack": s.unpack,
		"log": func(*lua.LState) int {
			if text := s.text(1); o.Log != nil {
				o.Log(text)
			}
			return 0
		},
	} {
		s.State.SetGlobal(name, s.State.NewFunction(f))
	}
	s.library("math", s.mathematics(o)).RawSetString("huge", lua.LNumber(math.Inf(1)))
	s.library("string", s.strings())
	s.library("table", s.tables())
	methods := s.State.NewTable()
	methods.RawSetString("__index", s.State.GetGlobal("string"))
	s.State.SetMetatable(lua.LString(""), methods) // ("x"):rep(3)
}

func (s *Session) library(name string, functions map[string]lua.LGFunction) *lua.LTable {
	t := s.State.CreateTable(0, len(functions))
	for each, f := range functions {
		t.RawSetString(each, s.State.NewFunction(f))
	}
	s.State.SetGlobal(name, t)
	return t
}

func (s *Session) assert(L *lua.LState) int {
	if lua.LVAsBool(L.CheckAny(1)) {
		return L.GetTop()
	}
	L.RaiseError("%s", L.OptString(2, "assertion failed"))
	return 0
}

func (s *Session) error(L *lua.LState) int {
	s.State.RaiseError("%s", s.display(L.CheckAny(1)))
	return 0
}

func (s *Session) kind(L *lua.LState) int {
	L.Push(lua.LString(L.CheckAny(1).Type().String()))
	return 1
}

// toNumber takes texts of bounded length, so that it takes bounded time.
func (s *Session) toNumber(L *lua.LState) int {
	switch v := L.CheckAny(1).(type) {
	case lua.LNumber:
		L.Push(v)
		return 1
	case lua.LString:
		if n, err := strconv.ParseFloat(string(v), 64); len(v) <= 64 && err == nil {
			L.Push(lua.LNumber(n))
			return 1
		}
	}
	L.Push(lua.LNil)
	return 1
}

func (s *Session) toString(L *lua.LState) int {
	L.Push(lua.LString(s.display(L.CheckAny(1))))
	return 1
}

// display is a value as a text, which has been counted.
func (s *Session) display(v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber, lua.LBool, *lua.LNilType:
		s.Take(stringBytes + 64)
		return v.String()
	default:
		return v.Type().String() // where it lies in memory is nobody's business
	}
}

// text is an argument that is a string or a number.
func (s *Session) text(n int) string {
	switch v := s.State.CheckAny(n).(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return s.display(v)
	default:
		s.State.ArgError(n, "a string is wanted, not a "+v.Type().String())
		return ""
	}
}

func (s *Session) pairs(next lua.LGFunction, first lua.LValue) lua.LGFunction {
	step := s.State.NewFunction(next)
	return func(L *lua.LState) int {
		t := L.CheckTable(1)
		L.Push(step)
		L.Push(t)
		L.Push(first)
		return 3
	}
}

func (s *Session) next(L *lua.LState) int {
	key, value := L.CheckTable(1).Next(L.Get(2))
	L.Push(key)
	if key == lua.LNil {
		return 1
	}
	L.Push(value)
	return 2
}

func (s *Session) nextIndex(L *lua.LState) int {
	at := L.CheckInt(2) + 1
	value := L.CheckTable(1).RawGetInt(at)
	if value == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(at))
	L.Push(value)
	return 2
}

// maxValues is how many values a function returns.
const maxValues = 200

func (s *Session) unpack(L *lua.LState) int {
	t := L.CheckTable(1)
	first, last := L.OptInt(2, 1), L.OptInt(3, t.Len())
	if last-first >= maxValues {
		L.RaiseError("unpack returns at most %d values", maxValues)
	}
	for i := first; i <= last; i++ {
		L.Push(t.RawGetInt(i))
	}
	return max(0, last-first+1)
}

func (s *Session) mathematics(o Options) map[string]lua.LGFunction {
	one := func(f func(float64) float64) lua.LGFunction {
		return func(L *lua.LState) int {
			L.Push(lua.LNumber(f(float64(L.CheckNumber(1)))))
			return 1
		}
	}
	best := func(better func(a, b float64) float64) lua.LGFunction {
		return func(L *lua.LState) int {
			v := float64(L.CheckNumber(1))
			for i := 2; i <= L.GetTop(); i++ {
				v = better(v, float64(L.CheckNumber(i)))
			}
			L.Push(lua.LNumber(v))
			return 1
		}
	}
	all := map[string]lua.LGFunction{
		"abs": one(math.Abs), "ceil": one(math.Ceil), "exp": one(math.Exp), "floor": one(math.Floor), "log": one(math.Log),
		"sqrt": one(math.Sqrt), "max": best(math.Max), "min": best(math.Min),
	}
	if o.Random != nil {
		all["random"] = func(L *lua.LState) int { return random(L, o.Random) }
	}
	return all
}

// random is a number from 0 to 1, from 1 to m, or from m to n.
func random(L *lua.LState, chance func() float64) int {
	low, high := 1.0, 0.0
	switch L.GetTop() {
	case 0:
		L.Push(lua.LNumber(chance()))
		return 1
	case 1:
		high = float64(L.CheckNumber(1))
	default:
		low, high = float64(L.CheckNumber(1)), float64(L.CheckNumber(2))
	}
	if !(low <= high) {
		L.RaiseError("random: there is no number from %v to %v", low, high)
	}
	L.Push(lua.LNumber(low + math.Floor(chance()*(high-low+1))))
	return 1
}

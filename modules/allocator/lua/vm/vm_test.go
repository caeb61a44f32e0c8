package vm

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var usual = Limits{Instructions: 20_000_000, Memory: 64 << 20, Time: 5 * time.Second}

// said runs a script and returns what it has logged.
func said(t *testing.T, limits Limits, script string) ([]string, Usage, error) {
	t.Helper()
	p, err := Compile("script.lua", script)
	if err != nil {
		return nil, Usage{}, err
	}
	var lines []string
	s := p.Start(limits, Options{Random: func() float64 { return 0.5 }, Log: func(text string) { lines = append(lines, text) }})
	defer s.End()
	err = s.Load()
	return lines, s.Usage(), err
}

func TestScripts(t *testing.T) {
	for _, c := range []struct{ about, script, want string }{
		{"arithmetic", `log(2 + 3 * 4 ^ 2 / 8 - 7 % 4)`, "5"},
		{"joining", `log("a" .. 1 .. "b" .. 2.5)`, "a1b2.5"},
		{"joining what functions return", `local function f() return "x", "y" end log("a" .. f() .. f())`, "axx"},
		{"fields", `local t = {a = 1, ["b"] = 2, 3, 4} t.c = 5 t[3] = 6 log(t.a + t.b + t.c + t[1] + t[2] + t[3])`, "21"},
		{"fields of fields", `local t = {} t.a = {} t.a.b = {} t.a.b.c = "deep" log(t.a.b.c)`, "deep"},
		{"several at once are evaluated first", `local i, t = 1, {10, 20} i, t[i] = i + 1, "x" log(i .. t[1] .. t[2])`, "2x20"},
		{"exchange", `local t = {1, 2} t[1], t[2] = t[2], t[1] log(t[1] .. t[2])`, "21"},
		{"several from a function", `local function f() return 1, 2, 3 end local t = {} t.a, t.b = f() log(t.a .. t.b)`, "12"},
		{"functions as fields", `local t = {} function t.add(a, b) return a + b end log(t.add(1, 2))`, "3"},
		{"methods", `local t = {n = 5} function t:more(k) self.n = self.n + k return self.n end log(t:more(2))`, "7"},
		{"recursion", `local function fac(n) if n < 2 then return 1 end return n * fac(n - 1) end log(fac(10))`, "3628800"},
		{"globals", `function twice(x) return 2 * x end log(twice(4))`, "8"},
		{"closures", `local function counter() local n = 0 return function() n = n + 1 return n end end local c = counter() c() log(c())`, "2"},
		{"loops", `local s = 0 for i = 1, 10 do if i == 9 then break end s = s + i end while s > 30 do s = s - 1 end repeat s = s + 1 until s > 40 log(s)`, "41"},
		{"goto", `local i = 0 ::again:: i = i + 1 if i < 3 then goto again end log(i)`, "3"},
		{"pairs go in the order of setting", `local t = {z = 1, 7} t.a = 2 t[true] = 3 local s = "" for k, v in pairs(t) do s = s .. tostring(k) .. v end log(s)`, "17z1a2true3"},
		{"ipairs end at the first hole", `local s = 0 for i, v in ipairs({1, 2, nil, 4}) do s = s + i * v end log(s)`, "5"},
		{"lists", `local t = {} table.insert(t, "b") table.insert(t, 1, "a") table.insert(t, "d") table.insert(t, 3, "c") table.remove(t) log(table.concat(t, ",") .. #t)`, "a,b,c3"},
		{"sorting", `local t = {3, 1, 2} table.sort(t) local u = {"b", "a"} table.sort(u, function(x, y) return x > y end) log(table.concat(t) .. table.concat(u))`, "123ba"},
		{"equal values keep their order", `local t = {} for i = 1, 50 do t[i] = {k = i % 2, i = i} end table.sort(t, function(a, b) return a.k < b.k end) log(t[1].i .. t[2].i .. t[26].i .. t[50].i)`, "24149"},
		{"strings", `log(("x"):rep(3) .. ("Abc"):upper() .. string.sub("hello", 2, -2) .. string.sub("abc", -2) .. #"four" .. ("a.b"):find(".", 1))`, "xxxABCellbc42"},
		{"bytes", `local none = ("A"):byte(2) log(("A"):byte() .. tostring(none))`, "65nil"},
		{"formats", `log(string.format("%5.2f|%-4s|%03d|%x|%q|%%|%g", 3.14159, "ab", 7, 255, "q\"", 1e20))`, ` 3.14|ab  |007|ff|"q\""|%|1e+20`},
		{"numbers of texts", `log(tostring(tonumber("12.5") + 1) .. tostring(tonumber("x")))`, "13.5nil"},
		{"mathematics", `log(math.floor(2.7) + math.max(1, 5, 3) + math.random(1, 10) + math.sqrt(16))`, "17"},
		{"more than any number", `log(tostring(1e308 < math.huge))`, "True"},
		{"unpacking", `local a, b = unpack({1, 2}) log(a + b)`, "3"},
		{"what a table is shown as", `log(tostring({}) .. tostring(nil) .. tostring(true))`, "tablenilTrue"},
		{"what is not there", `log(tostring(os) .. tostring(io) .. tostring(require) .. tostring(load) .. tostring(loadstring) .. tostring(dofile) .. tostring(pcall) ..
			tostring(coroutine) .. tostring(debug) .. tostring(setmetatable) .. tostring(getfenv) .. tostring(_G) .. tostring(string.dump) .. tostring(collectgarbage) .. tostring(print))`,
			strings.Repeat("nil", 15)},
	} {
		t.Run(c.about, func(t *testing.T) {
			lines, _, err := said(t, usual, c.script)
			require.NoError(t, err)
			assert.Equal(t, []string{strings.ReplaceAll(c.want, "True", "true")}, lines)
		})
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ about, script, want string }{
		{"syntax", "local x = 1\nlocal y = = 2", `script.lua:2: syntax error near "="`},
		{"an end that is missing", "if x then\n  log(1)\n", `script.lua:2: syntax error at the end of the file`},
		{"a text without an end", "log('x", `script.lua:1: unterminated string at the end of the file`},
		{"goto to nowhere", "local a\ngoto x", `no visible label 'x' for <goto> at line 2`},
		{"any number of arguments", "local function f(...)\n return 1 end", `script.lua:1: functions of any number of arguments (...) are not allowed`},
		{"any number of arguments, used", "\nlog(...)", `script.lua:2: functions of any number of arguments (...) are not allowed`},
		{"a call of nothing", "local t = {}\n\nt.f()", `script.lua:3: attempt to call a non-function object`},
		{"a field of nothing", "local x\nlog(x.y)", `script.lua:2: attempt to index a non-table object(nil) with key 'y'`},
		{"a field of nothing, set", "local x\nx.y = 1", `script.lua:2: a field of a nil cannot be set: it is no table`},
		{"a key that is nil", "local t = {}\nt[nil] = 1", `script.lua:2: a field of a table cannot have the key nil`},
		{"a key that is no number", "local t = {}\nt[0/0] = 1", `script.lua:2: a field of a table cannot have a key that is not a number`},
		{"joining nil", "local x\nlog('a' .. x)", `script.lua:2: a nil cannot be joined to a string`},
		{"arithmetic on a table", "log({} + 1)", `script.lua:1: cannot perform add operation between table and number`},
		{"its own errors", "local function f() error('my fault') end\nf()", `script.lua:1: my fault`},
		{"errors that are tables", "\nerror({})", `script.lua:2: table`},
		{"assertions", "assert(1 > 2, 'one is less')", `script.lua:1: one is less`},
		{"an argument of the wrong type", "log(string.rep({}, 2))", `script.lua:1: bad argument #1 to`},
		{"a long message is cut", "error(string.rep('x', 10000))", strings.Repeat("x", 400)},
		{"compiled code", "\x1bLua", "script.lua:1: this is compiled code"},
		{"recursion without end", "local function f() return 1 + f() end\nf()", `script.lua:1: stack overflow`},
		{"too deep", strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), "script.lua:1:"},
		{"deep blocks", strings.Repeat("do ", 400) + strings.Repeat("end ", 400), "script.lua:1: this is nested more than 150 levels deep"},
		{"deep tables", "x = " + strings.Repeat("{", 400) + strings.Repeat("}", 400), "script.lua:1: this is nested more than 150 levels deep"},
		{"long chains of operators", "x = 1" + strings.Repeat(" - 1", 400), "script.lua:1: this is nested more than 150 levels deep"},
		{"long chains of strings", "x = 'a'" + strings.Repeat(" .. 'a'", 400), "script.lua:1: more than 150 strings are joined by one expression"},
		{"too long", strings.Repeat("-", MaxSource+1), "script.lua: the script has 262145 bytes, and at most 262144 are read"},
		{"too many variables", strings.Repeat("local a = 1 ", 300), "script.lua:"},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, _, err := said(t, usual, c.script)
			require.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 700)
		})
	}
	t.Run("a function that is not there", func(t *testing.T) {
		p, err := Compile("script.lua", "x = 1")
		require.NoError(t, err)
		s := p.Start(usual, Options{})
		defer s.End()
		require.NoError(t, s.Load())
		require.ErrorIs(t, s.Call("allocate"), ErrNoFunction)
	})
}

// hostile are scripts that want more than they may have; each is stopped by the limit.
var hostile = []struct{ about, script, limit string }{
	{"a loop", `while true do end`, "instructions"},
	{"a loop of goto", `::a:: goto a`, "instructions"},
	{"a loop over numbers", `for i = 1, 1e300 do end`, "instructions"},
	{"a loop in a comparison", `table.sort({3, 2, 1}, function() while true do end end)`, "instructions"},
	{"tail calls without end", `local function f() return f() end f()`, "instructions"},
	{"a string that doubles", `local s = "x" while true do s = s .. s end`, "memory"},
	{"a chain that grows", `local s = "x" while true do s = s .. s .. s .. s end`, "memory"},
	{"a bomb of rep", `local s = string.rep("x", 1e9)`, "memory"},
	{"a bomb of rep of rep", `local s = "x" for i = 1, 100 do s = s:rep(1000) end`, "memory"},
	{"a bomb of rep that overflows", `local s = ("xx"):rep(4611686018427387904)`, "memory"},
	{"a list that grows", `local t = {} local i = 1 while true do t[i] = i i = i + 1 end`, "memory"},
	{"a list that is inserted into", `local t = {} while true do table.insert(t, 1) end`, "memory"},
	{"one element far out", `local t = {} t[60000000] = 1`, "memory"},
	{"one element far out of a list", `local t = {1, 2} t[60000000] = 1`, "memory"},
	{"a table of names", `local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = i end`, "memory"},
	{"names that come and go", `local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = 1 t["k" .. i] = nil end`, "memory"},
	{"tables as keys", `local t = {} while true do t[{}] = true end`, "memory"},
	{"fractions as keys", `local t = {} local i = 0 while true do i = i + 0.5 t[i] = 1 end`, "memory"},
	{"tables in tables", `local t = {} while true do t = {t} end`, "memory"},
	{"constructors with names", `local t = {} while true do t = {a = t, b = 1, c = 2} end`, "memory"},
	{"functions", `local t = {} while true do local a, b, c = 1, 2, 3 t = {f = function() return a + b + c + t end, t} end`, "memory"},
	{"local functions", `local last while true do local before = last local function f() return before end last = f end`, "memory"},
	{"several assignments", `local t, i = {}, 1 while true do t[i], t[i + 1] = i, i i = i + 2 end`, "memory"},
	{"upper case", `local s = string.rep("x", 1e6) while true do s = s:upper() end`, "memory"},
	{"formats", `local s = string.rep("x", 1e6) while true do s = string.format("%s%s", s, s) end`, "memory"},
	{"quotes", `local s = string.rep("\1", 1e6) for i = 1, 100 do s = string.format("%q", s) end`, "memory"},
	{"concat", `local t = {} for i = 1, 1000 do t[i] = string.rep("x", 1000) end while true do t[1] = table.concat(t) end`, "memory"},
	{"searching", `local s = string.rep("a", 1e6) while true do s:find("b") end`, "instructions"},
	{"inserting in front", `local t = {} for i = 1, 1e6 do table.insert(t, 1, true) end`, "instructions"},
	{"globals", `while true do x = {x} end`, "memory"},
	{"numbers to texts", `local s while true do s = tostring(1.5) end`, "memory"},
	{"the counters, replaced", "string.x = 1 table.x = 1 local s = 'x' while true do s = s .. s end", "memory"},
}

func TestHostileScriptsAreStopped(t *testing.T) {
	limits := Limits{Instructions: 3_000_000, Memory: 8 << 20, Time: 20 * time.Second}
	for _, c := range hostile {
		t.Run(c.about, func(t *testing.T) {
			_, usage, err := said(t, limits, c.script)
			var stopped *Stopped
			require.ErrorAs(t, err, &stopped)
			assert.Equal(t, c.limit, stopped.Limit, "%v after %+v", err, usage)
			assert.LessOrEqual(t, usage.Instructions, limits.Instructions)
			assert.LessOrEqual(t, usage.Memory, limits.Memory)
		})
	}
	t.Run("time", func(t *testing.T) {
		begun := time.Now()
		_, _, err := said(t, Limits{Instructions: 1 << 60, Memory: 1 << 20, Time: 50 * time.Millisecond}, `while true do end`)
		var stopped *Stopped
		require.ErrorAs(t, err, &stopped)
		assert.Equal(t, "time", stopped.Limit)
		assert.EqualError(t, err, "script.lua:1: stopped: it met the limit of time, which is 50ms")
		assert.Less(t, time.Since(begun), 3*time.Second)
	})
	t.Run("time, in the steps that take longest", func(t *testing.T) {
		for _, script := range []string{
			`local s = string.rep("a", 2e7) local r = string.rep("a", 2e7) .. "b" while true do local x = s < r end`,
			`local t = {} for i = 1, 4e5 do t[i] = 1 end for i = 4e5, 2, -1 do t[i] = nil end while true do local n = #t end`,
		} {
			begun := time.Now()
			_, _, err := said(t, Limits{Instructions: 1 << 60, Memory: 256 << 20, Time: 300 * time.Millisecond}, script)
			var stopped *Stopped
			require.ErrorAs(t, err, &stopped)
			assert.Equal(t, "time", stopped.Limit)
			assert.Less(t, time.Since(begun), 5*time.Second)
		}
	})
}

// TestWhatIsCountedIsEnough compares what was counted with what is really held.
func TestWhatIsCountedIsEnough(t *testing.T) {
	for _, c := range []struct{ about, script string }{
		{"a list", `keep = {} for i = 1, 200000 do keep[i] = i + 0.5 end`},
		{"numbers of which few are kept", `keep = {} local x = 0.5 for i = 1, 20000 do for j = 1, 31 do x = x + 1 end keep[i] = x end`},
		{"numbers in constructors", `keep = {} local x = 0.5 for i = 1, 20000 do for j = 1, 31 do x = x + 1 end keep[i] = {x} end`},
		{"names", `keep = {} for i = 1, 50000 do keep["k" .. i] = i + 0.5 end`},
		{"tables", `keep = {} for i = 1, 50000 do keep[i] = {} end`},
		{"tables with a field", `keep = {} for i = 1, 50000 do keep[i] = {} keep[i].x = true end`},
		{"tables with a value", `keep = {} for i = 1, 50000 do keep[i] = {1} end`},
		{"tables with a value and a field", `keep = {} for i = 1, 20000 do keep[i] = {1} keep[i].x = 1 end`},
		{"tables with a field and a value", `keep = {} for i = 1, 20000 do keep[i] = {x = 1} keep[i][1] = 1 end`},
		{"tables with an odd key", `keep = {} for i = 1, 20000 do keep[i] = {} keep[i][true] = 1 end`},
		{"constructors", `keep = {} for i = 1, 20000 do keep[i] = {a = i, b = i, c = {i, i, i}} end`},
		{"functions", `keep = {} for i = 1, 20000 do local a, b, c = i + 0.5, i, i keep[i] = function() return a + b + c end end`},
		{"strings", `keep = {} for i = 1, 20000 do keep[i] = "number " .. i end`},
		{"parts of strings", `keep = {} for i = 1, 2000 do keep[i] = string.rep("x", 1000):sub(1, 2) end`},
		{"fractions as keys", `keep = {} for i = 1, 20000 do keep[i + 0.5] = i end`},
	} {
		t.Run(c.about, func(t *testing.T) {
			p, err := Compile("script.lua", c.script)
			require.NoError(t, err)
			heap := func() int64 {
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before := heap()
			s := p.Start(Limits{Instructions: 1 << 40, Memory: 1 << 32, Time: time.Minute}, Options{})
			defer s.End()
			require.NoError(t, s.Load())
			held := heap() - before - int64(registers)*16 - 200_000 // what every run has
			assert.Greater(t, s.Usage().Memory, held, "counted, and held")
			assert.Less(t, s.Usage().Memory, 30*held, "it is not counted out of all proportion")
			runtime.KeepAlive(s)
		})
	}
}

func TestRunsAreApart(t *testing.T) {
	p, err := Compile("script.lua", `function run() n = (n or 0) + 1 string.rep = nil log(n) end`)
	require.NoError(t, err)
	for range 2 {
		var got string
		s := p.Start(usual, Options{Log: func(text string) { got = text }})
		require.NoError(t, s.Load())
		require.NoError(t, s.Call("run"))
		s.End()
		assert.Equal(t, "1", got)
	}
}

func TestStoppedStaysStopped(t *testing.T) {
	p, err := Compile("script.lua", `function run() while true do end end`)
	require.NoError(t, err)
	s := p.Start(Limits{Instructions: 1000, Memory: 1 << 20, Time: time.Second}, Options{})
	defer s.End()
	require.NoError(t, s.Load())
	var stopped *Stopped
	require.ErrorAs(t, s.Call("run"), &stopped)
	require.ErrorAs(t, s.Call("run"), &stopped)
	assert.EqualValues(t, 1000, s.Usage().Instructions)
}

func TestFunctionsOfTheCaller(t *testing.T) {
	p, err := Compile("script.lua", `take()`)
	require.NoError(t, err)
	s := p.Start(usual, Options{})
	defer s.End()
	s.State.SetGlobal("take", s.State.NewFunction(func(*lua.LState) int { s.Take(1 << 40); return 0 }))
	var stopped *Stopped
	require.True(t, errors.As(s.Load(), &stopped))
	assert.EqualError(t, stopped, "script.lua:1: stopped: it met the limit of memory, which is 64 MB")
}

func BenchmarkInstructions(b *testing.B) {
	p, err := Compile("script.lua", `function run(n) local best = 0 for i = 1, n do local x = i % 7 if x > best then best = x end end return best end`)
	require.NoError(b, err)
	for b.Loop() {
		s := p.Start(usual, Options{})
		require.NoError(b, s.Load())
		require.NoError(b, s.Call("run", lua.LNumber(1_000_000)))
		b.ReportMetric(float64(s.Usage().Instructions), "instructions")
		s.End()
	}
}

func BenchmarkStart(b *testing.B) {
	p, err := Compile("script.lua", `function run() end`)
	require.NoError(b, err)
	for b.Loop() {
		s := p.Start(usual, Options{})
		require.NoError(b, s.Load())
		s.End()
	}
}

func FuzzScripts(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.script)
	}
	limits := Limits{Instructions: 100_000, Memory: 4 << 20, Time: 2 * time.Second}
	f.Fuzz(func(t *testing.T, script string) {
		p, err := Compile("f", script)
		if err != nil {
			return
		}
		s := p.Start(limits, Options{})
		defer s.End()
		_ = s.Load()
		if u := s.Usage(); u.Instructions > limits.Instructions || u.Memory > limits.Memory {
			t.Fatalf("%+v", u)
		}
	})
}

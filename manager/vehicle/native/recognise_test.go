package native

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

func names(d vehicle.Description) []string {
	var all []string
	for _, m := range d.Modules {
		all = append(all, m.Name)
	}
	return all
}

func moduleOf(t testing.TB, d vehicle.Description, name string) vehicle.Module {
	t.Helper()
	for _, m := range d.Modules {
		if m.Name == name {
			return m
		}
	}
	require.Failf(t, "no such module", "%q is not among %v", name, names(d))
	return vehicle.Module{}
}

func settings(d vehicle.Description, key string) []string {
	var all []string
	for _, s := range d.Build {
		if s.Key == key {
			all = append(all, s.Value)
		}
	}
	return all
}

func TestRecognise(t *testing.T) {
	t.Run("reads a library in C, whatever its relocations and hash tables", func(t *testing.T) {
		for _, name := range []string{"bare.so", "bare-sysv.so", "bare-relr.so", "bare-unlinked.so"} {
			t.Run(name, func(t *testing.T) {
				d := recognise(t, New(), look(t, name))
				assert.Equal(t, vehicle.Native, d.Vehicle)
				assert.True(t, d.Complete)
				assert.Equal(t, "1", d.MMSVersion)
				assert.Equal(t, facade.MesosVersion, d.MesosVersion)
				assert.Equal(t, facade.MesosVersion, d.MinMesos)
				assert.Equal(t, []vehicle.Module{{
					Name: "bare", Role: "Calculator", Version: "1.2.0", Author: "Ann", Email: "a@b.c", Description: "bare",
					MMSVersion: "1", MesosVersion: facade.MesosVersion,
					Requires:  []facade.Requirement{{Module: "base", Version: ">=1.1 <2"}},
					HasSchema: true, Compatible: true,
					Parameters: []facade.ParameterSpec{{Key: "key", Type: "int", Default: "1", Doc: "doc", Required: true}},
				}}, d.Modules)
			})
		}
	})
	t.Run("reads the seed's example in every C++", func(t *testing.T) {
		for _, name := range []string{"seed11.so", "seed14.so", "seed17.so", "seed20.so", "stripped.so", "seed-by-gcc.so"} {
			t.Run(name, func(t *testing.T) {
				d := recognise(t, New(), look(t, name))
				assert.True(t, d.Complete)
				assert.Equal(t, []string{"example", "returns_null", "throws"}, names(d))
				assert.Equal(t, "Calculator", d.Modules[0].Role)
				assert.Empty(t, d.Modules[0].Flaws)
			})
		}
	})
	t.Run("reads a library whose section table is gone", func(t *testing.T) {
		b := bytesOf(t, "seed17.so")
		for i := 40; i < 48; i++ {
			b[i] = 0 // e_shoff
		}
		b[60], b[61] = 0, 0 // e_shnum
		d := recognise(t, New(), content(t, b))
		assert.Equal(t, []string{"example", "returns_null", "throws"}, names(d))
		assert.Empty(t, settings(d, "toolchain"))
	})
	t.Run("says that a module is filled when the library is opened, and only then", func(t *testing.T) {
		early := recognise(t, New(), look(t, "lambda11.so"))
		assert.False(t, early.Complete)
		assert.Empty(t, early.Modules)
		late := recognise(t, New(), look(t, "lambda17.so"))
		assert.True(t, late.Complete)
		assert.Equal(t, []string{"org_example_lambda"}, names(late))
		assert.Empty(t, late.MMSVersion, "the object form states its versions per module")
		assert.Equal(t, "1", late.Modules[0].MMSVersion)
	})
	t.Run("shows how the library was built", func(t *testing.T) {
		d := recognise(t, New(), look(t, "needs-origin.so"))
		assert.Contains(t, settings(d, "compiler")[0], "GCC")
		assert.NotEmpty(t, settings(d, "toolchain"))
		assert.Equal(t, []string{"libplain.so"}, settings(d, "needs"))
		assert.Equal(t, []string{"$ORIGIN"}, settings(d, "runpath"))
		assert.Empty(t, settings(d, "needs version"))
		assert.Len(t, settings(recognise(t, New(), look(t, "bare.so")), "build id")[0], 40)
		cxx := recognise(t, New(), look(t, "seed17.so"))
		assert.Subset(t, settings(cxx, "needs"), []string{"libstdc++.so.6", "libc.so.6"})
		assert.Contains(t, strings.Join(settings(cxx, "needs version"), "\n"), "libc.so.6: GLIBC_2")
	})
	t.Run("says the same twice", func(t *testing.T) {
		v := New()
		assert.Equal(t, recognise(t, v, look(t, "flaws.so")), recognise(t, v, look(t, "flaws.so")))
	})
	t.Run("leaves Go plugins to their own vehicle", func(t *testing.T) {
		_, mine, err := New().Recognise(look(t, "plugin.so"))
		require.NoError(t, err)
		assert.False(t, mine)
	})
}

func TestRecogniseRefuses(t *testing.T) {
	patched := func(name string, at int, value ...byte) func(t *testing.T) vehicle.File {
		return func(t *testing.T) vehicle.File {
			b := bytesOf(t, name)
			copy(b[at:], value)
			return content(t, b)
		}
	}
	built := func(name string) func(t *testing.T) vehicle.File {
		return func(t *testing.T) vehicle.File { return look(t, name) }
	}
	text := func(s string) func(t *testing.T) vehicle.File {
		return func(t *testing.T) vehicle.File { return content(t, []byte(s)) }
	}
	const class, order, machine, kind = 4, 5, 18, 16
	for _, c := range []struct {
		name string
		file func(t *testing.T) vehicle.File
		rule finding.Rule
		want string
		mend string
	}{
		{"a script", text("#!/bin/sh\n"), finding.LibraryFormat, "it is a script", ".so"},
		{"an archive", text("!<arch>\nx"), finding.LibraryFormat, "it is an archive of object files", ".so"},
		{"text", text("größer"), finding.LibraryFormat, "it is text", ".so"},
		{"an empty file", text(""), finding.LibraryFormat, "it is empty", ".so"},
		{"zeros", text(strings.Repeat("\x00", 100)), finding.LibraryFormat, "nothing but zeros", ".so"},
		{"noise", text("\x01\xff\x02\x00"), finding.LibraryFormat, "its format is unknown", ".so"},
		{"a Windows library", text("MZ\x90\x00"), finding.LibraryFormat, "for Windows", ".so"},
		{"an ELF magic and no more", text("\x7fELF\x02\x01\x01"), finding.LibraryFormat, "truncated", "again"},
		{"a program", built("program"), finding.LibraryFormat, "is an executable program", "-shared"},
		{"a program at a fixed address", built("program-nopie"), finding.LibraryFormat, "is an executable program", "-shared"},
		{"an object file", built("object.o"), finding.LibraryFormat, "not been linked", "-shared"},
		{"a core dump", patched("bare.so", kind, 4), finding.LibraryFormat, "is a core dump", "library"},
		{"another machine", patched("bare.so", machine, 0xf3, 0), finding.LibraryFormat, "is for RISC-V, and the daemon for x86-64", "this machine"},
		{"a 32 bit library", patched("bare.so", class, 1), finding.LibraryFormat, "32 bit", "this machine"},
		{"a 32 bit library for x86", func(t *testing.T) vehicle.File {
			b := bytesOf(t, "bare.so")
			b[class], b[machine] = 1, 3
			return content(t, b)
		}, finding.LibraryFormat, "32 bit machine (x86), and the daemon for x86-64", "this machine"},
		{"another byte order", patched("bare.so", order, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62), finding.LibraryFormat, "byte order", "this machine"},
		{"a plain library", built("libplain.so"), finding.Handshake, "it is a plain shared library", "MESOS_MODULE_LIBRARY()"},
		{"a library for Apache Mesos, by what it calls", built("upstream.so"), finding.Handshake, "built for Apache Mesos itself (it has the symbol _ZN5mesos8internal3logEPKc)", "mesos-module headers"},
		{"a library for Apache Mesos, by what it needs", built("needs-mesos.so"), finding.Handshake, "built for Apache Mesos itself (it needs libmesos-1.11.so)", "mesos-module headers"},
		{"a C library made by Go", built("cshared.so"), finding.LibraryFormat, "-buildmode=c-shared", "mesos-module build --as=goplugin"},
		{"a symbol that nobody defines", built("undefined.so"), finding.LibraryBuild, "no library that it needs defines defined_nowhere", "link"},
		{"a library that is found nowhere", built("needs.so"), finding.LibraryBuild, "it needs the library libplain.so, which is found nowhere", "$ORIGIN"},
		{"a file that is gone", func(*testing.T) vehicle.File { return vehicle.File{Path: "/nowhere/lib.so", Size: 1} }, finding.LibraryFile, "cannot be read", "permissions"},
		{"a file that is shorter than it was", func(t *testing.T) vehicle.File {
			f := content(t, []byte("\x7fELF"))
			f.Size = 4096
			return f
		}, finding.LibraryFile, "cannot be read", "still being written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mine, err := New().Recognise(c.file(t))
			var refusal *vehicle.Refusal
			require.ErrorAs(t, err, &refusal)
			assert.True(t, mine)
			assert.Equal(t, c.rule, refusal.Rule)
			assert.Contains(t, refusal.Problem, c.want)
			assert.Contains(t, refusal.Mend, c.mend)
			assert.NotContains(t, refusal.Problem, "weak", "a weak symbol may be missing")
		})
	}
	t.Run("a library cut off anywhere is truncated", func(t *testing.T) {
		whole := bytesOf(t, "seed17.so")
		v := New()
		for cut := 64; cut < len(whole); cut += 97 {
			_, _, err := v.Recognise(content(t, whole[:cut]))
			require.ErrorContains(t, err, "truncated", "cut at %d of %d", cut, len(whole))
		}
		_, _, err := v.Recognise(content(t, whole[:len(whole)-1]))
		require.ErrorContains(t, err, "truncated")
	})
	t.Run("and so it is without a section table, at every border of a segment", func(t *testing.T) {
		whole := bytesOf(t, "bare.so")
		for i := 40; i < 48; i++ {
			whole[i] = 0
		}
		v := New()
		for _, border := range borders(t, whole) {
			_, _, err := v.Recognise(content(t, whole[:border-1]))
			require.ErrorContains(t, err, "truncated", "cut before %d", border)
		}
	})
}

// borders are the ends of the segments that have bytes in the file.
func borders(t *testing.T, b []byte) []int {
	t.Helper()
	u64 := func(at int) int {
		n := 0
		for i := 7; i >= 0; i-- {
			n = n<<8 | int(b[at+i])
		}
		return n
	}
	var ends []int
	for i := range int(b[56]) {
		p := u64(32) + 56*i
		if n := u64(p + 32); n > 0 {
			ends = append(ends, u64(p+8)+n)
		}
	}
	require.NotEmpty(t, ends)
	return ends
}

func TestFlaws(t *testing.T) {
	d := recognise(t, New(), look(t, "flaws.so"))
	for _, c := range []struct {
		module string
		flaws  []string
	}{
		{"named_by_symbol", nil},
		{"org_example_named", nil},
		{"null_role", []string{"role is null"}},
		{"null_versions", []string{"mms_version is null", "mesos_version is null"}},
		{"null_functions", []string{"create is null: there is nothing to make an instance with", "destroy is null: there is nothing to give an instance back with"}},
		{"", []string{"name is empty"}},
		{"not_utf8", []string{"author is not UTF-8"}},
		{"control", []string{"description holds control characters"}},
		{strings.Repeat("ab", 128), []string{"name is longer than 256 bytes"}},
		{"long_text", []string{"description is longer than 4096 bytes"}},
		{"no_end", []string{"email is longer than 4096 bytes"}},
		{"no_address", []string{"author is no address"}},
		{"outside", []string{"author lies in another library"}},
		{"requires_all", nil},
		{"requires_odd", []string{"requirements[0]: there is no kind 99", "requirements[1]: target is null", "requirements[2]: an order has no use for the constraint \">1\""}},
		{"requires_null", []string{"requirements is null, and 3 of them are announced"}},
		{"requires_too_many", []string{"requirements: 4294967295 of them are more than 1024"}},
		{"requires_tiny", []string{"requirements: the size 8 of one of them is not between 24 and 4096"}},
		{"requires_huge", []string{"requirements: the size 2147483647 of one of them is not between 24 and 4096"}},
		{"requires_beyond", []string{"requirements: 1000 of them reach beyond the library"}},
		{"requires_longer", nil},
		{"parameters", nil},
		{"no_parameters", nil},
		{"parameters_odd", []string{"parameters[0]: key is null", "parameters[0]: there are no flags 0x40", "parameters[0]: there is no type \"colour\""}},
		{"older", []string{"create is null: there is nothing to make an instance with", "destroy is null: there is nothing to give an instance back with"}},
		{"newer", nil},
		{"size_zero", []string{"the descriptor says that its size is 0, which is not between 16 and 65536"}},
		{"size_absurd", []string{"the descriptor says that its size is 4294967295, which is not between 16 and 65536"}},
		{"size_beyond_symbol", []string{"the descriptor says that its size is 144, and its symbol has 136 bytes"}},
	} {
		t.Run("of "+c.module, func(t *testing.T) {
			assert.Equal(t, c.flaws, moduleOf(t, d, c.module).Flaws)
		})
	}
	t.Run("of a name that stands twice", func(t *testing.T) {
		var flaws [][]string
		for _, m := range d.Modules {
			if m.Name == "twice" {
				flaws = append(flaws, m.Flaws)
			}
		}
		assert.Equal(t, [][]string{nil, {"the library declares a module of this name twice"}}, flaws)
	})
	t.Run("leave texts fit to be shown", func(t *testing.T) {
		assert.Equal(t, "a�[31mred", moduleOf(t, d, "control").Description)
		assert.Equal(t, "���", moduleOf(t, d, "not_utf8").Author)
		assert.Equal(t, "größer", moduleOf(t, d, "org_example_named").Description)
	})
	t.Run("requirements of all kinds", func(t *testing.T) {
		m := moduleOf(t, d, "requires_all")
		assert.Equal(t, []facade.Requirement{
			{Module: "base", Version: ">=1.1 <2"}, {Role: "TestModule"}, {Module: "log", Optional: true},
		}, m.Requires)
		assert.Equal(t, []facade.Conflict{{Module: "evil", Version: "<3"}}, m.Conflicts)
		assert.Equal(t, []string{"first"}, m.After)
	})
	t.Run("elements of a later header", func(t *testing.T) {
		assert.Equal(t, []facade.Requirement{{Module: "one"}, {Module: "two", Version: "1.0.0"}}, moduleOf(t, d, "requires_longer").Requires)
	})
	t.Run("parameters", func(t *testing.T) {
		m := moduleOf(t, d, "parameters")
		assert.True(t, m.HasSchema)
		assert.Equal(t, []facade.ParameterSpec{
			{Key: "token", Type: "string", Doc: "what to say", Required: true, Secret: true},
			{Key: "host", Type: "string", Default: "localhost", Repeated: true},
		}, m.Parameters)
		assert.True(t, moduleOf(t, d, "no_parameters").HasSchema)
		assert.False(t, moduleOf(t, d, "named_by_symbol").HasSchema)
	})
}

func TestResolve(t *testing.T) {
	t.Run("follows RUNPATH with $ORIGIN", func(t *testing.T) {
		d := recognise(t, New(), look(t, "needs-origin.so"))
		assert.True(t, d.Complete)
	})
	t.Run("follows LD_LIBRARY_PATH", func(t *testing.T) {
		t.Setenv("LD_LIBRARY_PATH", libraries)
		d := recognise(t, New(), look(t, "needs.so"))
		assert.True(t, d.Complete)
	})
	t.Run("says which version of the C library is too old", func(t *testing.T) {
		// The version's name, wherever it stands in the string table, as that of
		// a release to come.
		b := bytesOf(t, "seed17.so")
		patched := strings.ReplaceAll(string(b), "GLIBC_2.14\x00", "GLIBC_9.14\x00")
		if patched == string(b) {
			patched = strings.ReplaceAll(string(b), "GLIBC_2.2.5\x00", "GLIBC_9.9.9\x00")
		}
		require.NotEqual(t, string(b), patched)
		_, _, err := New().Recognise(content(t, []byte(patched)))
		require.ErrorContains(t, err, "it needs GLIBC_9")
		require.ErrorContains(t, err, "not newer than this one")
	})
	t.Run("passes a file of the same name by that is no library", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "libplain.so"), []byte("text"), 0o600))
		t.Setenv("LD_LIBRARY_PATH", dir+":"+libraries)
		d := recognise(t, New(), look(t, "needs.so"))
		assert.True(t, d.Complete)
	})
	t.Run("sees that a needed library was replaced", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv("LD_LIBRARY_PATH", dir)
		v := New()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "libplain.so"), bytesOf(t, "bare.so"), 0o600))
		_, _, err := v.Recognise(look(t, "needs.so"))
		require.ErrorContains(t, err, "defines plain")
		require.NoError(t, os.WriteFile(filepath.Join(dir, "libplain.so"), bytesOf(t, "libplain.so"), 0o600))
		recognise(t, v, look(t, "needs.so"))
	})
}

func BenchmarkRecognise(b *testing.B) {
	for _, name := range []string{"bare.so", "seed17.so"} {
		f := look(b, name)
		b.Run(name, func(b *testing.B) {
			v := New()
			recognise(b, v, f)
			b.ReportAllocs()
			for b.Loop() {
				recognise(b, v, f)
			}
		})
		b.Run(name+" the first of a process", func(b *testing.B) {
			for b.Loop() {
				recognise(b, New(), f)
			}
		})
	}
}

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

// compiled builds a library of one of the folders beside this one.
func compiled(t *testing.T, compiler, standard, source string) moduletest.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "library.so")
	out, err := exec.Command(compiler, "-std="+standard, "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread",
		"-I../../facade/include", "-o", path, source).CombinedOutput()
	require.NoError(t, err, string(out))
	return moduletest.File(path)
}

// calculates holds the Calculator to the design document's numbers.
func calculates[S moduletest.Subject](t *testing.T, subject S, module string) {
	t.Helper()
	n, err := moduletest.Load[calculator.Calculator](moduletest.New(t, subject), module).Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	assert.EqualValues(t, 75, n)
	if module != "example" { // as the document calls it, against the rule for names
		moduletest.Conformance(t, subject, module)
	}
}

// greets holds HelloWorld to the module guide's.
func greets[S moduletest.Subject](t *testing.T, subject S, module string) {
	t.Helper()
	m := moduletest.Load[testmodule.TestModule](moduletest.New(t, subject), module)
	sum, err := m.Foo(t.Context(), 'A', 1024)
	require.NoError(t, err)
	assert.EqualValues(t, 1089, sum)
	product, err := m.Bar(t.Context(), 0.5, 10.8)
	require.NoError(t, err)
	assert.EqualValues(t, 5, product)
	moduletest.Conformance(t, subject, module)
}

func TestTheTwoOfTheSeed(t *testing.T) {
	t.Run("in Go", func(t *testing.T) {
		calculates(t, Library, "org_example_calculator")
		greets(t, Library, "org_example_hello")
	})
	t.Run("in C", func(t *testing.T) {
		calculates(t, compiled(t, "gcc", "c11", "../c/calculator.c"), "org_example_calculator")
		greets(t, compiled(t, "gcc", "c11", "../c/hello.c"), "org_example_hello")
	})
	t.Run("in C++", func(t *testing.T) {
		calculates(t, compiled(t, "g++", "c++11", "../cpp/calculator.cpp"), "example")
		greets(t, compiled(t, "g++", "c++11", "../cpp/hello.cpp"), "org_apache_mesos_TestModule")
	})
}

func TestAnonymousInCPlusPlus(t *testing.T) {
	const name = "org_example_beat"
	dir := t.TempDir()
	library := compiled(t, "g++", "c++11", "../cpp/anonymous.cpp")
	moduletest.Conformance(t, library, name, moduletest.Parameter(name, "file", filepath.Join(dir, "conforms")))
	load := func(t *testing.T, file string) anonymous.Anonymous {
		return moduletest.Load[anonymous.Anonymous](moduletest.New(t, library, moduletest.Parameter(name, "file", file)), name)
	}
	t.Run("it runs until it is told to stop", func(t *testing.T) {
		file := filepath.Join(dir, "alive")
		a := load(t, file)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error)
		go func() { done <- a.Run(ctx) }()
		require.Eventually(t, func() bool { text, _ := os.ReadFile(file); return len(text) > 0 }, time.Minute, 5*time.Millisecond)
		cancel()
		assert.NoError(t, <-done)
	})
	t.Run("a file that cannot be written is an error", func(t *testing.T) {
		assert.ErrorContains(t, load(t, filepath.Join(dir, "nowhere", "alive")).Run(t.Context()), "cannot write")
	})
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// workshop builds what is measured, each thing once, in a folder of its own.
type workshop struct {
	dir   string
	built map[string][]string // paths by language
}

func newWorkshop() (*workshop, error) {
	dir, err := os.MkdirTemp("", "mms-bench-")
	if err != nil {
		return nil, err
	}
	return &workshop{dir: dir, built: map[string][]string{}}, nil
}

func (w *workshop) close() { _ = os.RemoveAll(w.dir) } // a temporary folder that stays is no failure of the run

// language is one in which a native library is written.
type language struct{ name, compiler, source, standard string }

func languages() []language {
	return []language{
		{name: "C", compiler: "gcc", source: "testdata/adder.c", standard: "-std=c11"},
		{name: "C++", compiler: "g++", source: "testdata/adder.cpp", standard: "-std=c++17"},
	}
}

// template is the module's name in the sources.
const template = "org_example_copy_000"

func copyName(i int) string { return fmt.Sprintf("org_example_copy_%03d", i) }

// copies returns the paths of libraries that differ in the name of their module. They are compiled to assembly once, and
// from there on are files of their own.
func (w *workshop) copies(ctx context.Context, l language) ([]string, error) {
	if built, ok := w.built[l.name]; ok {
		return built, nil
	}
	dir := filepath.Join(w.dir, l.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	assembly := filepath.Join(dir, "adder.s")
	if err := w.do(ctx, ".", l.compiler, "-S", "-O2", "-fPIC", l.standard, "-I../../facade/include", "-o", assembly, l.source); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(assembly)
	if err != nil {
		return nil, err
	}
	paths := make([]string, copies)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i := range paths {
		source := filepath.Join(dir, copyName(i)+".s")
		paths[i] = filepath.Join(dir, "lib"+copyName(i)+".so")
		group.Go(func() error {
			if err := os.WriteFile(source, []byte(strings.ReplaceAll(string(content), template, copyName(i))), 0o644); err != nil {
				return err
			}
			return w.do(ctx, ".", l.compiler, "-shared", "-o", paths[i], source)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	w.built[l.name] = paths
	return paths, nil
}

// plugin builds the Go plugin with the flags of the running binary, which has none.
func (w *workshop) plugin(ctx context.Context) (string, error) {
	path := filepath.Join(w.dir, "plugin.so")
	return path, w.do(ctx, ".", "go", "build", "-buildmode=plugin", "-o", path, "./plugin")
}

// program builds a Go program in a folder.
func (w *workshop) program(ctx context.Context, name, folder, pkg string) (string, error) {
	path := filepath.Join(w.dir, name)
	return path, w.do(ctx, folder, "go", "build", "-o", path, pkg)
}

func (w *workshop) do(ctx context.Context, folder, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

package conformance_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const headers = "../../facade/include"

// recipe is how a library is built: everything but where to.
type recipe struct {
	name string // the file is lib<name>.so
	line []string
}

// inC builds a source of testdata in C; more are defines and flags.
func inC(name, source string, more ...string) recipe {
	return recipe{name, slices.Concat([]string{"gcc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-I" + headers, "testdata/" + source}, more)}
}

// inCpp builds a source of testdata in C++.
func inCpp(name, standard, source string, more ...string) recipe {
	return recipe{name, slices.Concat([]string{"g++", "-std=" + standard, "-O0", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"}, more,
		[]string{"-I" + headers, "testdata/" + source})}
}

// inGo builds a plugin from a folder of testdata for the running test binary: a
// plugin has to be built with the flags of its daemon.
func inGo(folder string) recipe {
	line := []string{"go", "build", "-buildmode=plugin"}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if slices.Contains([]string{"-race", "-tags", "-trimpath", "-gcflags"}, s.Key) && s.Value != "" && s.Value != "false" {
				line = append(line, s.Key+"="+s.Value)
			}
		}
	}
	return recipe{folder, append(line, "./testdata/"+folder)}
}

// shop builds each recipe once.
type shop struct {
	dir   string
	mu    sync.Mutex
	shelf map[string]func() (string, error)
}

func (s *shop) get(r recipe) func() (string, error) {
	key := r.name + "\x00" + strings.Join(r.line, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shelf[key] == nil {
		s.shelf[key] = sync.OnceValues(func() (string, error) { return r.build(s.dir, key) })
	}
	return s.shelf[key]
}

func (r recipe) build(dir, key string) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256([]byte(key)))[:8], "lib"+r.name+".so")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	at := slices.IndexFunc(r.line, func(s string) bool { return s == "-shared" || s == "-buildmode=plugin" })
	line := slices.Insert(slices.Clone(r.line), at+1, "-o", path)
	if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(line, " "), err, out)
	}
	return path, nil
}

// built returns the paths of libraries, two of which are built at a time.
func built(t testing.TB, recipes ...recipe) []string {
	t.Helper()
	paths, errs := make([]string, len(recipes)), make([]error, len(recipes))
	slots := make(chan struct{}, 2)
	var all sync.WaitGroup
	for i, r := range recipes {
		get := workshop.get(r)
		all.Go(func() {
			slots <- struct{}{}
			paths[i], errs[i] = get()
			<-slots
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return paths
}

func build(t testing.TB, r recipe) string {
	t.Helper()
	return built(t, r)[0]
}

// copied is another file with the same content.
func copied(t testing.TB, path, to string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o600))
	return to
}

package pluginbuild

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tool is the go command, in the version and with the settings that are wanted.
type tool struct {
	r   Request
	env []string
}

// newTool looks for a go command of the daemon's version. The go command itself
// fetches another version unless it is told not to.
func newTool(ctx context.Context, r Request, d daemon, temp string) (*tool, error) {
	t := &tool{r: r, env: append(r.Env[:len(r.Env):len(r.Env)], d.env...)}
	own, err := t.output(ctx, temp, []string{"GOWORK=off"}, "env", "GOVERSION", "GOTOOLCHAIN", "GOFLAGS")
	if err != nil {
		return nil, fmt.Errorf("ask the go command for its version: %w", err)
	}
	lines := append(strings.Split(own, "\n"), "", "", "")
	version, _, _ := strings.Cut(lines[0], " ")

	// Flags of the environment would stand beside those of the daemon. Set to
	// nothing, the ones that "go env -w" has stored would count.
	flags := "GOFLAGS=-buildvcs=false"
	if strings.Contains(lines[2], "-modcacherw") {
		flags += " -modcacherw"
	}
	t.env = append(t.env, "GO111MODULE=on", flags)
	if version == d.goVersion {
		t.env = append(t.env, "GOTOOLCHAIN="+pinned(version))
		return t, nil
	}
	wayOut := fmt.Sprintf("put the go command of %s first in PATH, or set GOTOOLCHAIN=%s", d.goVersion, d.goVersion)
	if lines[1] == "local" {
		return nil, fmt.Errorf("the daemon was built by %s, and the go command is %s (GOTOOLCHAIN=local): Go opens plugins of its own version only; %s", d.goVersion, version, wayOut)
	}
	t.env = append(t.env, "GOTOOLCHAIN="+pinned(d.goVersion))
	if _, err := t.output(ctx, temp, []string{"GOWORK=off"}, "version"); err != nil {
		return nil, fmt.Errorf("the daemon was built by %s, and the go command is %s and cannot get that version: %w; %s", d.goVersion, version, err, wayOut)
	}
	return t, nil
}

// newAuthorsTool is the go command as the author's environment has it: its version is
// what go.mod says. Only flags that choose module files are left out, because those are
// chosen here.
func newAuthorsTool(ctx context.Context, r Request) (*tool, error) {
	t := &tool{r: r, env: r.Env}
	out, err := t.output(ctx, r.Dir, []string{"GO111MODULE=on"}, "env", "GOFLAGS")
	if err != nil {
		return nil, fmt.Errorf("ask the go command for its settings: %w", err)
	}
	flags := slices.DeleteFunc(strings.Fields(out), func(f string) bool { return flagName(f) == "mod" || flagName(f) == "modfile" })
	if !slices.ContainsFunc(flags, func(f string) bool { return flagName(f) == "buildvcs" }) {
		flags = append(flags, "-buildvcs=false") // the same sources give the same bytes
	}
	t.env = append(r.Env[:len(r.Env):len(r.Env)], "GO111MODULE=on", "GOFLAGS="+strings.Join(flags, " "))
	return t, nil
}

// pinned keeps the go command from following a toolchain line in a go.mod.
// Versions that nobody can download are only ever the one at hand.
func pinned(version string) string {
	if strings.HasPrefix(version, "go1.") && !strings.ContainsAny(version, "-+ ") {
		return version
	}
	return "local"
}

// located is the package to build.
type located struct {
	Dir        string
	ImportPath string
	Name       string
	Module     *struct {
		Path, Dir, GoMod string
	}
}

// place is where the go command is run to find the package, and the package's name there.
func (r *Request) place() (dir, name string) {
	name = r.Package
	if info, err := os.Stat(r.absolute(name)); err == nil && info.IsDir() {
		name = r.absolute(name)
	}
	if filepath.IsAbs(name) {
		return name, "."
	}
	return r.Dir, name
}

// locate finds the package as its author's own module sees it, or the workspace that env
// names.
func (t *tool) locate(ctx context.Context, r Request, env ...string) (located, error) {
	dir, name := r.place()
	out, err := t.output(ctx, dir, env, "list", "-find", "-json=Dir,ImportPath,Name,Module", name)
	if err != nil {
		return located{}, fmt.Errorf("find the package %s: %w", r.Package, err)
	}
	var pkg located
	decoder := json.NewDecoder(strings.NewReader(out))
	if err := decoder.Decode(&pkg); err != nil {
		return located{}, fmt.Errorf("find the package %s: %w", r.Package, err)
	}
	if decoder.More() {
		return located{}, fmt.Errorf("%s are several packages; a library is made of one", r.Package)
	}
	if pkg.Module == nil || pkg.Module.GoMod == "" || pkg.Module.Dir == "" {
		return located{}, fmt.Errorf("package %s is in no Go module; make one with go mod init", pkg.ImportPath)
	}
	if _, err := os.Stat(filepath.Join(pkg.Module.Dir, "go.mod")); err != nil {
		return located{}, fmt.Errorf("module %s has no go.mod in its folder and cannot be built for a daemon: %w", pkg.Module.Path, err)
	}
	return pkg, nil
}

// output runs the go command quietly and returns what it prints.
func (t *tool) output(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	var out, said bytes.Buffer
	err := t.start(ctx, dir, env, &out, &said, args)
	if err != nil {
		return "", fmt.Errorf("go %s: %w%s", args[0], err, tail(said.String()))
	}
	return out.String(), nil
}

// run runs the go command with its messages shown, and returns them as well. Its error has them where nobody is shown them.
func (t *tool) run(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	var said bytes.Buffer
	err := t.start(ctx, dir, env, t.r.Stdout, io.MultiWriter(t.r.Stderr, &said), args)
	if err != nil && t.r.Stderr != io.Discard {
		err = fmt.Errorf("go %s: %w", args[0], err)
	} else if err != nil {
		err = fmt.Errorf("go %s: %w%s", args[0], err, tail(said.String()))
	}
	return said.String(), err
}

func (t *tool) start(ctx context.Context, dir string, env []string, stdout, stderr io.Writer, args []string) error {
	if t.r.Verbose {
		fmt.Fprintf(t.r.Stderr, "cd %s; %s go %s\n", dir, strings.Join(env, " "), strings.Join(args, " "))
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, stdout, stderr
	cmd.Env = append(t.env[:len(t.env):len(t.env)], env...)
	cmd.Env = append(cmd.Env, "PWD="+dir)
	// The compilers that it has started end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// tail is the end of what a command has said, for an error.
func tail(said string) string {
	const most = 2000
	said = strings.TrimSpace(said)
	if said == "" {
		return ""
	}
	if len(said) > most {
		said = "…" + said[len(said)-most:]
	}
	return "\n" + said
}

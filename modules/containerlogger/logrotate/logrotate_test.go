package logrotate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate/rotate"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// launcher is a folder in which this test's own program is the logger's.
var launcher string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == logrotate.Program {
		os.Exit(rotate.Main())
	}
	self, err := os.Executable()
	if err == nil {
		launcher, err = os.MkdirTemp("", "launcher")
	}
	if err == nil {
		err = os.Symlink(self, filepath.Join(launcher, logrotate.Program))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(launcher) // a folder for temporary files
		os.Exit(code)
	}))
}

func Example() {
	module := logrotate.Library.Modules[0].Declare()
	fmt.Println(module.Name)
	for _, p := range module.Parameters.Specs() {
		if p.Default != "" {
			fmt.Println(p.Key, p.Default)
		}
	}
	// Output:
	// org_apache_mesos_LogrotateContainerLogger
	// max_stdout_size 10MB
	// max_stderr_size 10MB
	// max_files 5
	// compression none
	// environment_variable_prefix CONTAINER_LOGGER_
	// logrotate_path logrotate
	// libprocess_num_worker_threads 8
}

func options(pairs []string) []moduletest.Option {
	all := []moduletest.Option{moduletest.Parameter(logrotate.Name, "launcher_dir", launcher)}
	for n := 0; n < len(pairs); n += 2 {
		all = append(all, moduletest.Parameter(logrotate.Name, pairs[n], pairs[n+1]))
	}
	return all
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, logrotate.Library, logrotate.Name, options(nil)...)
}

func load(t *testing.T, pairs ...string) (containerlogger.ContainerLogger, *moduletest.Kit) {
	t.Helper()
	kit := moduletest.New(t, logrotate.Library, options(pairs)...)
	return moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name), kit
}

func id(value string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &value} }

// container is one whose output a test writes.
type container struct {
	folder   string
	out, err *os.File
}

func launch(t *testing.T, l containerlogger.ContainerLogger, config *slave.ContainerConfig) *container {
	t.Helper()
	c := &container{folder: t.TempDir()}
	config.Directory = &c.folder
	if config.User != nil {
		require.NoError(t, os.Chmod(filepath.Dir(c.folder), 0o755))
		require.NoError(t, os.Chmod(c.folder, 0o777))
	}
	files, err := l.Prepare(t.Context(), id("c"), config)
	require.NoError(t, err)
	c.out, c.err = open(t, files.GetOut()), open(t, files.GetErr())
	return c
}

func open(t *testing.T, io *slave.ContainerIO_IO) *os.File {
	t.Helper()
	f, err := os.OpenFile(io.GetPath(), os.O_WRONLY, 0)
	require.NoError(t, err)
	return f
}

// ends closes the output and waits until the process has gone.
func (c *container) ends(t *testing.T) {
	t.Helper()
	_ = c.out.Close() // a test may have closed it
	_ = c.err.Close()
	gone(t, c.folder)
}

// loggers are the processes that have something in a folder open.
func loggers(t *testing.T, folder string) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/fd/*")
	require.NoError(t, err)
	for _, one := range all {
		if link, err := os.Readlink(one); err == nil && strings.HasPrefix(link, folder+"/") {
			pid, err := strconv.Atoi(strings.Split(one, "/")[2])
			require.NoError(t, err)
			if pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func gone(t *testing.T, folder string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(loggers(t, folder)) == 0 }, 20*time.Second, 10*time.Millisecond)
}

// content is everything that was written, from the oldest file to the newest, and the
// names of the files with it.
func content(t *testing.T, folder, stream string) (text string, names []string) {
	t.Helper()
	for n := 20; n >= 0; n-- {
		for _, extension := range []string{"", ".gz"} {
			name := stream + "." + strconv.Itoa(n) + extension
			if n == 0 {
				name = stream + extension
			}
			data, err := os.ReadFile(filepath.Join(folder, name))
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			if extension != "" {
				r, err := gzip.NewReader(bytes.NewReader(data))
				require.NoError(t, err)
				data, err = io.ReadAll(r)
				require.NoError(t, err)
			}
			text, names = text+string(data), append(names, name)
		}
	}
	return text, names
}

func TestOutput(t *testing.T) {
	t.Run("comes to both files", func(t *testing.T) {
		l, _ := load(t)
		c := launch(t, l, &slave.ContainerConfig{})
		_, err := c.out.WriteString("hello\nhalf a li")
		require.NoError(t, err)
		_, err = c.err.WriteString("trouble\n")
		require.NoError(t, err)
		pids := loggers(t, c.folder)
		require.NotEmpty(t, pids)
		c.ends(t)
		require.Eventually(t, func() bool {
			_, err := os.Stat(fmt.Sprintf("/proc/%d", pids[0]))
			return os.IsNotExist(err)
		}, 10*time.Second, time.Millisecond, "its end is taken note of")
		out, names := content(t, c.folder, "stdout")
		assert.Equal(t, "hello\nhalf a li", out)
		assert.Equal(t, []string{"stdout"}, names)
		text, _ := content(t, c.folder, "stderr")
		assert.Equal(t, "trouble\n", text)
	})
	t.Run("is there while the container runs, half lines too", func(t *testing.T) {
		l, _ := load(t)
		c := launch(t, l, &slave.ContainerConfig{})
		_, err := c.out.WriteString("what is your name? ")
		require.NoError(t, err)
		require.Eventually(t, func() bool { text, _ := content(t, c.folder, "stdout"); return text == "what is your name? " }, 10*time.Second, 5*time.Millisecond)
		c.ends(t)
	})
	t.Run("is rotated and packed, no line lost or torn or out of order", func(t *testing.T) {
		l, _ := load(t, "max_stdout_size", "8KB", "max_files", "20", "compression", "gzip")
		c := launch(t, l, &slave.ContainerConfig{})
		var want strings.Builder
		for n := range 5000 {
			line := fmt.Sprintf("line %d %s\n", n, strings.Repeat("x", n%17))
			want.WriteString(line)
			_, err := c.out.WriteString(line)
			require.NoError(t, err)
		}
		c.ends(t)
		text, names := content(t, c.folder, "stdout")
		assert.Equal(t, want.String(), text)
		assert.Equal(t, "stdout.1.gz", names[len(names)-2])
		assert.Equal(t, "stdout", names[len(names)-1])
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(c.folder, name))
			require.NoError(t, err)
			assert.LessOrEqual(t, len(data), 8<<10)
		}
	})
	t.Run("is kept as far as it was said", func(t *testing.T) {
		l, _ := load(t, "logrotate_stdout_options", "rotate 2\ncompress\nsize 4k\nmissingok\nsharedscripts")
		c := launch(t, l, &slave.ContainerConfig{})
		for range 3000 {
			_, err := c.out.WriteString("0123456789abcde\n")
			require.NoError(t, err)
		}
		c.ends(t)
		text, names := content(t, c.folder, "stdout")
		assert.Equal(t, []string{"stdout.2.gz", "stdout.1.gz", "stdout"}, names)
		assert.LessOrEqual(t, len(text), 3*4096)
	})
	t.Run("belongs to the container's user, and he cannot lead it astray", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root becomes somebody else")
		l, _ := load(t, "max_stdout_size", "4KB")
		precious := filepath.Join(t.TempDir(), "precious")
		require.NoError(t, os.WriteFile(precious, []byte("kept"), 0o600))
		c := launch(t, l, &slave.ContainerConfig{User: proto.String("nobody")})
		info, err := os.Stat(c.folder + "/stdout")
		require.NoError(t, err)
		assert.NotZero(t, info.Sys().(*syscall.Stat_t).Uid)
		require.NoError(t, os.Symlink(precious, c.folder+"/stdout.1"))
		_, err = c.out.WriteString(strings.Repeat("0123456789abcde\n", 257))
		require.NoError(t, err)
		c.ends(t)
		text, err := os.ReadFile(precious)
		require.NoError(t, err)
		assert.Equal(t, "kept", string(text))
	})
	t.Run("may be reopened by the container's user", func(t *testing.T) {
		l, _ := load(t)
		c := launch(t, l, &slave.ContainerConfig{User: proto.String("nobody")})
		cmd := exec.Command("sh", "-c", "echo again >/dev/stdout")
		cmd.Stdout = c.out
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		require.NoError(t, cmd.Run())
		c.ends(t)
		text, _ := content(t, c.folder, "stdout")
		assert.Equal(t, "again\n", text)
	})
	t.Run("goes on where another container has left off", func(t *testing.T) {
		l, _ := load(t)
		c := launch(t, l, &slave.ContainerConfig{})
		_, err := c.out.WriteString("first\n")
		require.NoError(t, err)
		c.ends(t)
		files, err := l.Prepare(t.Context(), id("c"), &slave.ContainerConfig{Directory: &c.folder})
		require.NoError(t, err)
		c.out, c.err = open(t, files.GetOut()), open(t, files.GetErr())
		_, err = c.out.WriteString("second\n")
		require.NoError(t, err)
		c.ends(t)
		text, _ := content(t, c.folder, "stdout")
		assert.Equal(t, "first\nsecond\n", text)
	})
	t.Run("outlives the agent", func(t *testing.T) {
		kit := moduletest.New(t, logrotate.Library, options(nil)...)
		l := moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name)
		c := launch(t, l, &slave.ContainerConfig{})
		_, err := c.out.WriteString("before\n")
		require.NoError(t, err)
		kit.Close()
		for range 100 {
			_, err = c.out.WriteString("after\n")
			require.NoError(t, err)
		}
		pids := loggers(t, c.folder)
		require.NotEmpty(t, pids)
		require.NoError(t, syscall.Kill(pids[0], syscall.SIGTERM), "it ends with the container and not before")
		_, err = c.out.WriteString("last\n")
		require.NoError(t, err)
		c.out.Close()
		c.err.Close()
		require.Eventually(t, func() bool { // nobody else is its parent here
			pid, _ := syscall.Wait4(pids[0], nil, syscall.WNOHANG, nil)
			return pid == pids[0]
		}, 20*time.Second, 10*time.Millisecond)
		text, _ := content(t, c.folder, "stdout")
		assert.Equal(t, "before\n"+strings.Repeat("after\n", 100)+"last\n", text)
	})
}

// What a container's launch and end cost more for it.
func BenchmarkContainer(b *testing.B) {
	kit := moduletest.New(b, logrotate.Library, moduletest.Parameter(logrotate.Name, "launcher_dir", launcher))
	l := moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name)
	folder := b.TempDir()
	for b.Loop() {
		files, err := l.Prepare(b.Context(), id("c"), &slave.ContainerConfig{Directory: &folder})
		require.NoError(b, err)
		for _, one := range []*slave.ContainerIO_IO{files.GetOut(), files.GetErr()} {
			f, err := os.OpenFile(one.GetPath(), os.O_WRONLY, 0)
			require.NoError(b, err)
			require.NoError(b, f.Close())
		}
	}
}

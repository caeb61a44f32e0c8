package logrotate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

func TestSettingsOfContainers(t *testing.T) {
	variables := func(pairs ...string) *slave.ContainerConfig {
		e := &mesosv1.Environment{}
		for n := 0; n < len(pairs); n += 2 {
			e.Variables = append(e.Variables, &mesosv1.Environment_Variable{Name: &pairs[n], Value: &pairs[n+1]})
		}
		return &slave.ContainerConfig{CommandInfo: &mesosv1.CommandInfo{Environment: e}}
	}
	t.Run("come from its environment", func(t *testing.T) {
		l, kit := load(t, "environment_variable_prefix", "LOG_")
		c := launch(t, l, variables("LOG_MAX_STDOUT_SIZE", "4KB", "LOG_LOGROTATE_STDOUT_OPTIONS", "rotate 1\nfancy on", "LOG_COMPRESSION", "gzip",
			"CONTAINER_LOGGER_MAX_FILES", "nonsense"))
		for range 2000 {
			_, err := c.out.WriteString("0123456789abcde\n")
			require.NoError(t, err)
		}
		c.ends(t)
		_, names := content(t, c.folder, "stdout")
		assert.Equal(t, []string{"stdout.1.gz", "stdout"}, names)
		assert.Contains(t, strings.Join(kit.Log(), "\n"), "fancy on")
	})
	t.Run("that make no sense fail the launch", func(t *testing.T) {
		l, _ := load(t)
		c := variables("CONTAINER_LOGGER_MAX_STDOUT_SIZE", "1KB", "CONTAINER_LOGGER_MAX_FILES", "-1", "CONTAINER_LOGGER_COMPRESSION", "zip")
		c.Directory = proto.String(t.TempDir())
		_, err := l.Prepare(t.Context(), id("c"), c)
		for _, want := range []string{"variable CONTAINER_LOGGER_MAX_STDOUT_SIZE: 1KB is less than a page",
			`variable CONTAINER_LOGGER_MAX_FILES: "-1" is no number of files`, `variable CONTAINER_LOGGER_COMPRESSION: there is no compression "zip"`} {
			require.ErrorContains(t, err, want)
		}
	})
}

func TestParameters(t *testing.T) {
	for _, c := range [][]string{
		{"max_stdout_size", "4095B"}, {"max_stderr_size", "huge"}, {"max_files", "1001"}, {"compression", "xz"},
		{"logrotate_stdout_options", "rotate many"}, {"logrotate_stderr_options", "size 1k"}, {"color", "red"},
	} {
		_, err := moduletest.TryLoad[containerlogger.ContainerLogger](moduletest.New(t, logrotate.Library, options(c)...), logrotate.Name)
		assert.ErrorContains(t, err, c[0], c[1])
	}
	_, kit := load(t, "logrotate_stdout_options", "daily\nrotate 3\n# a remark\nifempty", "libprocess_num_worker_threads", "1", "logrotate_path", "/usr/sbin/logrotate")
	log := strings.Join(kit.Log(), "\n")
	assert.Contains(t, log, "daily")
	assert.NotContains(t, log, "ifempty")
}

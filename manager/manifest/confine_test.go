package manifest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// confined says everything that can be said of a process.
const confined = `{"libraries":[{"file":"/a","isolation":"process","process":{"memory":"256MB","cpus":0.5,"open_files":256,` +
	`"user":"nobody:nogroup","no_new_privileges":true,"seccomp":"default","read_only":["/usr","/etc"],"read_write":["/var/lib/a"],` +
	`"environment":{"LEVEL":"<2>","A":"","API_TOKEN":"t0p"},"heartbeat":"10secs",` +
	`"restart":{"limit":5,"within":"1mins","backoff":"100ms","longest":"10secs"}},` +
	`"modules":[{"name":"m","on_failure":"fallback: n"},{"name":"n","on_failure":"optional"},{"name":"o","on_failure":"required"}]}]}`

func TestProcess(t *testing.T) {
	m, notices, err := manifest.Parse(confined, manifest.Options{})
	require.NoError(t, err)
	require.Empty(t, notices)
	library := m.Libraries[0]
	t.Run("everything that is said is read", func(t *testing.T) {
		assert.Equal(t, manifest.IsolationProcess, library.Isolation)
		assert.Equal(t, manifest.Process{
			Memory: 256 << 20, CPUs: 0.5, OpenFiles: 256, User: "nobody:nogroup", NoNewPrivileges: true, Seccomp: "default",
			ReadOnly: []string{"/usr", "/etc"}, ReadWrite: []string{"/var/lib/a"},
			Environment: []manifest.Variable{{Name: "LEVEL", Value: "<2>"}, {Name: "A"}, {Name: "API_TOKEN", Value: "t0p"}},
			Heartbeat:   10 * time.Second,
			Restart:     manifest.Restart{Limit: 5, Within: time.Minute, Backoff: 100 * time.Millisecond, Longest: 10 * time.Second},
			At:          manifest.Position{Source: "--modules", Line: 1, Column: 60},
		}, library.Process)
		assert.Equal(t, manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: "n"}, library.Modules[0].OnFailure)
		assert.Equal(t, manifest.OnFailure{Policy: manifest.PolicyOptional}, library.Modules[1].OnFailure)
		assert.Equal(t, manifest.OnFailure{Policy: manifest.PolicyRequired}, library.Modules[2].OnFailure)
	})
	t.Run("it is written as it was read, but for secrets", func(t *testing.T) {
		assert.Equal(t, strings.Replace(confined, "t0p", "(hidden)", 1), m.Text())
		for _, text := range []string{fmt.Sprint(m), fmt.Sprintf("%+v", m), fmt.Sprintf("%#v", m), fmt.Sprint(library.Process.Environment[2])} {
			assert.NotContains(t, text, "t0p")
		}
		assert.Equal(t, "t0p", library.Process.Environment[2].Value, "the manifest itself keeps it")
	})
	t.Run("a process is started with all of it", func(t *testing.T) {
		assert.Equal(t, vehicle.Confinement{
			Memory: 256 << 20, CPUs: 0.5, OpenFiles: 256, User: "nobody:nogroup", NoNewPrivileges: true, Seccomp: "default",
			ReadOnly: []string{"/usr", "/etc"}, ReadWrite: []string{"/var/lib/a"},
			Environment: []string{"LEVEL=<2>", "A=", "API_TOKEN=t0p"}, Heartbeat: 10 * time.Second,
		}, library.Process.Confinement())
	})
	t.Run("what is made of it shares no slices", func(t *testing.T) {
		c, r := library.Process.Confinement(), m.Redacted(nil).Libraries[0].Process
		c.ReadOnly[0], c.ReadWrite[0], r.ReadOnly[0], r.ReadWrite[0], r.Environment[0].Value = "x", "x", "x", "x", "x"
		assert.Equal(t, "/usr", library.Process.ReadOnly[0])
		assert.Equal(t, "/var/lib/a", library.Process.ReadWrite[0])
		assert.Equal(t, "<2>", library.Process.Environment[0].Value)
	})
}

func TestProcessForms(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"null is unset", `{"libraries":[{"file":"a","isolation":null,"process":{"memory":null,"cpus":null,"open_files":null,"user":null,` +
			`"no_new_privileges":null,"seccomp":null,"read_only":null,"read_write":null,"environment":null,"heartbeat":null,"restart":null},` +
			`"modules":[{"name":"m","on_failure":null}]}]}`, `{"libraries":[{"file":"a","modules":[{"name":"m"}]}]}`},
		{"nothing said is nothing", `{"libraries":[{"file":"a","process":{"restart":{},"environment":{},"read_only":[]},"modules":[{"name":"m"}]}]}`,
			`{"libraries":[{"file":"a","modules":[{"name":"m"}]}]}`},
		{"one path stands for a list of one", `{"libraries":[{"file":"a","process":{"read_only":"/usr"},"modules":[{"name":"m"}]}]}`,
			`{"libraries":[{"file":"a","process":{"read_only":["/usr"]},"modules":[{"name":"m"}]}]}`},
		{"a limit of 0 is not the daemon's default", `{"libraries":[{"file":"a","process":{"restart":{"limit":0}},"modules":[{"name":"m"}]}]}`,
			`{"libraries":[{"file":"a","process":{"restart":{"limit":0}},"modules":[{"name":"m"}]}]}`},
		{"sizes, shares and times may be written in several ways",
			`{"libraries":[{"file":"a","process":{"memory":"1048576b","cpus":5e-1,"heartbeat":"0.5mins"},"modules":[{"name":"m"}]}]}`,
			`{"libraries":[{"file":"a","process":{"memory":"1MB","cpus":0.5,"heartbeat":"30secs"},"modules":[{"name":"m"}]}]}`},
		{"a fallback needs no space", `{"libraries":[{"file":"a","modules":[{"name":"m","on_failure":"fallback:n"}]}]}`,
			`{"libraries":[{"file":"a","modules":[{"name":"m","on_failure":"fallback: n"}]}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, notices, err := manifest.Parse(c.text, manifest.Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, m.Text())
			assert.Empty(t, notices)
			again, _, err := manifest.Parse(m.Text(), manifest.Options{})
			require.NoError(t, err)
			assert.Equal(t, plain(m), plain(again))
		})
	}
	t.Run("never is not the default", func(t *testing.T) {
		m, _, err := manifest.Parse(`{"libraries":{"file":"a","process":{"restart":{"limit":0}},"modules":{"name":"m"}}}`, manifest.Options{})
		require.NoError(t, err)
		assert.Equal(t, manifest.Restart{Limit: manifest.Never}, m.Libraries[0].Process.Restart)
		assert.True(t, m.Libraries[0].Process.Given())
	})
}

func TestProcessBounds(t *testing.T) {
	in := func(process string) string { return `{"libraries":{"file":"a","process":{` + process + `}}}` }
	many := func(n int, form string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(form, i)
		}
		return strings.Join(all, ",")
	}
	for name, c := range map[string]struct{ value, want string }{
		"paths":     {in(`"read_only":[` + many(manifest.MaxPaths, `"/%d"`) + `],"read_write":"/x"`), "more than 10000 paths in one manifest"},
		"variables": {in(`"environment":{` + many(manifest.MaxVariables+1, `"V%d":""`) + `}`), "more than 10000 variables in one manifest"},
	} {
		t.Run(name+" are bounded", func(t *testing.T) {
			_, _, err := manifest.Parse(c.value, manifest.Options{})
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestOnFailureString(t *testing.T) {
	for want, f := range map[string]manifest.OnFailure{
		"": {}, "required": {Policy: manifest.PolicyRequired}, "optional": {Policy: manifest.PolicyOptional},
		"fallback: n": {Policy: manifest.PolicyFallback, Fallback: "n"},
	} {
		assert.Equal(t, want, f.String())
	}
}

func ExampleProcess_Confinement() {
	m, _, err := manifest.Parse(`{"libraries": {"file": "/opt/libcalc.so", "isolation": "process",
		"process": {"memory": "256MB", "user": "nobody"}, "modules": {"name": "m", "on_failure": "optional"}}}`, manifest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := m.Libraries[0].Process.Confinement()
	fmt.Println(c.Memory, c.User, m.Libraries[0].Modules[0].OnFailure)
	// Output:
	// 268435456 nobody optional
}

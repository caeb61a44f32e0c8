package confine_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

func TestCheck(t *testing.T) {
	t.Run("has nothing against what is not limited", func(t *testing.T) {
		assert.Empty(t, confine.Check(vehicle.Confinement{}))
	})
	t.Run("has nothing against what can be had", func(t *testing.T) {
		assert.Empty(t, confine.Check(vehicle.Confinement{
			Memory: 1 << 30, OpenFiles: 64, NoNewPrivileges: true, Seccomp: "default", User: fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid()),
			Environment: []string{"KEY=value", "EMPTY=", "LIST=a=b"},
		}))
	})
	for _, c := range []struct {
		name          string
		c             vehicle.Confinement
		setting, want string
	}{
		{"too little memory", vehicle.Confinement{Memory: 1000}, "memory", "1000 bytes are not enough for a process; the least is 33554432; give it more, or leave the limit out"},
		{"negative memory", vehicle.Confinement{Memory: -1}, "memory", "-1 bytes are not enough"},
		{"no part of a processor", vehicle.Confinement{CPUs: 0.001}, "cpus", "0.001 is no amount of processors; the least is 0.01; give it a part of a processor, as 0.5, or more"},
		{"no number of processors", vehicle.Confinement{CPUs: math.NaN()}, "cpus", "NaN is no amount of processors"},
		{"negative processors", vehicle.Confinement{CPUs: -1}, "cpus", "-1 is no amount"},
		{"too few files", vehicle.Confinement{OpenFiles: 3}, "open_files", "3 open files are not enough for a process; the least is 32"},
		{"an unknown user", vehicle.Confinement{User: "mr_nobody"}, "user", `there is no user "mr_nobody"`},
		{"an unknown group", vehicle.Confinement{User: "root:mr_nobodies"}, "user", `there is no group "mr_nobodies"`},
		{"a number without a group", vehicle.Confinement{User: "54321"}, "user", `the user "54321" has no entry, so its group is not known; write it as user:group`},
		{"the number that is nobody", vehicle.Confinement{User: "4294967295:0"}, "user", `there is no user "4294967295"`},
		{"nobody", vehicle.Confinement{User: ":"}, "user", `there is no user ""`},
		{"an unknown set of system calls", vehicle.Confinement{Seccomp: "tight"}, "seccomp", `there is no set of system calls "tight"; use one of compute, default, or leave it out`},
		{"a relative path to read", vehicle.Confinement{ReadOnly: []string{"data"}}, "read_only", `the path "data" is relative; name an absolute path`},
		{"a path to write that is not there", vehicle.Confinement{ReadWrite: []string{"/no/where"}}, "read_write", "/no/where is not to be had"},
		{"no variable", vehicle.Confinement{Environment: []string{"KEY"}}, "environment", `"KEY" is no variable; write it as KEY=value`},
		{"no name of a variable", vehicle.Confinement{Environment: []string{"=value"}}, "environment", `"" is no variable`},
		{"a variable of two", vehicle.Confinement{Environment: []string{"A=b\x00C=d"}}, "environment", `"A" is no variable`},
		{"our own variable", vehicle.Confinement{Environment: []string{"MMS_PROCESS=1"}}, "environment", "the variable MMS_PROCESS marks the processes of a library; use another name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			errs := confine.Check(c.c)
			require.Len(t, errs, 1)
			var p *confine.Problem
			require.ErrorAs(t, errs[0], &p)
			assert.Equal(t, c.setting, p.Setting)
			assert.ErrorContains(t, p, c.setting+": "+c.want)
			assert.NotEmpty(t, p.Mend)
			_, err := confine.Prepare(c.c)
			assert.ErrorContains(t, err, c.want)
		})
	}
	t.Run("reports all at once, in the order of the fields", func(t *testing.T) {
		err := errors.Join(confine.Check(vehicle.Confinement{Memory: 1, CPUs: 0.001, OpenFiles: 1, User: "mr_nobody", Seccomp: "x", ReadOnly: []string{"a"}, ReadWrite: []string{"b"}})...)
		assert.Regexp(t, `(?s)^memory: .*\ncpus: .*\nopen_files: .*\nuser: .*\nseccomp: .*\nread_only: .*\nread_write: .*$`, err.Error())
	})
}

func ExampleCheck() {
	for _, problem := range confine.Check(vehicle.Confinement{OpenFiles: 5, Seccomp: "strict"}) {
		fmt.Println(problem)
	}
	// Output:
	// open_files: 5 open files are not enough for a process; the least is 32; give it more, or leave the limit out
	// seccomp: there is no set of system calls "strict"; use one of compute, default, or leave it out
}

func TestGive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, confine.Give(dir, ""))
	var problem *confine.Problem
	require.ErrorAs(t, confine.Give(dir, "nobody-of-that-name"), &problem)
	assert.Equal(t, "user", problem.Setting)

	privileged.Root(t, "only root gives files to others")
	require.NoError(t, confine.Give(dir, "65534:65533"))
	info, err := os.Lstat(dir)
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	assert.Equal(t, [2]uint32{65534, 65533}, [2]uint32{owner.Uid, owner.Gid})
}

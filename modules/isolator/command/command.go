// Package command is the isolator command: it calls programs of the operator around the
// life of every container. docs/modules/isolator-command.md has the protocol, which a
// native module of the same name speaks too.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word stands for it on --isolation.
const (
	Name = "org_apache_mesos_CommandIsolator"
	Word = "command"
)

type parameters struct {
	Recover string `mms:"recover" doc:"program to call when the agent starts, with the containers that live on: an absolute path and arguments"`
	Prepare string `mms:"prepare" doc:"program to call before a container's process exists; answers with a ContainerLaunchInfo"`
	Isolate string `mms:"isolate" doc:"program to call when the process is there and held"`
	Watch   string `mms:"watch" doc:"program that runs as long as the container does and may end it by writing a ContainerLimitation"`
	Update  string `mms:"update" doc:"program to call when the container's resources have changed"`
	Usage   string `mms:"usage" doc:"program that answers with ResourceStatistics"`
	Status  string `mms:"status" doc:"program that answers with a ContainerStatus"`
	Cleanup string `mms:"cleanup" doc:"program to call when all processes of the container have ended"`

	Timeout     time.Duration `mms:"timeout" default:"15secs" doc:"how long a program may run; watch has no limit"`
	User        string        `mms:"user" doc:"the user that programs run as; without it, the agent's"`
	Environment string        `mms:"environment" doc:"names of variables of the agent's environment that programs get, with commas between them"`
	Parallel    int           `mms:"parallel" default:"16" doc:"how many programs run at once, those of watch not counted"`
	Nested      bool          `mms:"nested" default:"true" doc:"call programs for containers within containers too"`
}

// The steps, as the parameters are called.
const (
	stepRecover = "recover"
	stepPrepare = "prepare"
	stepIsolate = "isolate"
	stepWatch   = "watch"
	stepUpdate  = "update"
	stepUsage   = "usage"
	stepStatus  = "status"
	stepCleanup = "cleanup"
)

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Calls programs of the operator around the life of every container.",
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	var errs []error
	programs := map[string][]string{}
	for _, s := range []struct{ step, text string }{
		{stepRecover, p.Recover}, {stepPrepare, p.Prepare}, {stepIsolate, p.Isolate}, {stepWatch, p.Watch},
		{stepUpdate, p.Update}, {stepUsage, p.Usage}, {stepStatus, p.Status}, {stepCleanup, p.Cleanup},
	} {
		words := strings.Fields(s.text)
		if len(words) == 0 {
			continue
		}
		if err := runnable(words[0]); err != nil {
			errs = append(errs, fmt.Errorf("parameter %s: %w", s.step, err))
		}
		programs[s.step] = words
	}
	if len(programs) == 0 {
		errs = append(errs, errors.New("no step has a program: set prepare, watch or another one of them"))
	}
	if p.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("parameter timeout: %v is no time to run a program in", p.Timeout))
	}
	if p.Parallel < 1 {
		errs = append(errs, fmt.Errorf("parameter parallel: with %d at once no program would ever run", p.Parallel))
	}
	credential, err := credentialOf(p.User)
	if err != nil {
		errs = append(errs, fmt.Errorf("parameter user: %w", err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m := host.Metrics()
	return newIsolator(programs, p.Nested, host.Logger(), &runner{
		timeout: p.Timeout, credential: credential, environment: environmentOf(p.Environment), slots: make(chan struct{}, p.Parallel),
		runs:     m.Counter("runs", "Programs that were started."),
		failures: m.Counter("failures", "Programs that failed, or whose answer could not be read."),
		timeouts: m.Counter("timeouts", "Programs that were killed because their time was over."),
	}), nil
}

// runnable looks before the first container does.
func runnable(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is no absolute path of a program", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s is no file that can be executed", path)
	}
	return nil
}

const hostPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environmentOf returns what every program gets: the named variables that the agent has.
func environmentOf(names string) []string {
	all := []string{hostPath}
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		value, ok := os.LookupEnv(name)
		switch {
		case name == "" || !ok:
		case name == "PATH":
			all[0] = "PATH=" + value
		default:
			all = append(all, name+"="+value)
		}
	}
	return all
}

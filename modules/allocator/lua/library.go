package lua

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
	"github.com/mesos-modules/mms/roles/allocator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_LuaAllocator"

type parameters struct {
	Script       string        `mms:"script,required" doc:"absolute path of the script"`
	Reload       time.Duration `mms:"reload_interval" default:"1secs" doc:"how often the file is looked at"`
	Instructions uint64        `mms:"instruction_limit" default:"50000000" doc:"how many instructions one run may take"`
	Time         time.Duration `mms:"time_limit" default:"5secs" doc:"how long one run may take; the master waits for it"`
	Memory       facade.Bytes  `mms:"memory_limit" default:"256MB" doc:"how much one run may allocate"`
	Seed         uint64        `mms:"seed" default:"0" doc:"makes chance repeatable; 0 is a seed nobody knows"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[allocator.Allocator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Offers resources as a Lua script says, which is read again when it changes.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(ctx context.Context, host facade.Host, given facade.Parameters) (allocator.Allocator, error) {
			p, err := facade.Decode[parameters](given)
			if err != nil {
				return nil, err
			}
			if err := p.check(); err != nil {
				return nil, err
			}
			return newAllocator(ctx, host, p)
		},
	},
}}

func (p parameters) check() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !filepath.IsAbs(p.Script) {
		bad("parameter script: %q is no absolute path", p.Script)
	}
	if p.Reload < 10*time.Millisecond {
		bad("parameter reload_interval: %v is less than 10ms", p.Reload)
	}
	if p.Instructions < 10_000 || p.Instructions > 1e12 {
		bad("parameter instruction_limit: %d is not from 10000 to 1e12", p.Instructions)
	}
	if p.Time < time.Millisecond {
		bad("parameter time_limit: %v is less than 1ms", p.Time)
	}
	if p.Memory < 1<<20 || p.Memory > 1<<40 {
		bad("parameter memory_limit: %v is not from 1MB to 1TB", p.Memory)
	}
	return errors.Join(problems...)
}

func (p parameters) limits() vm.Limits {
	return vm.Limits{Instructions: int64(p.Instructions), Memory: int64(p.Memory), Time: p.Time}
}

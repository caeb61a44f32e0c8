package manager_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// The design document's ModuleManager::loadModule<Calculator>("example"), for
// whoever uses the module system without fx.
func ExampleLoadModule() {
	ctx := context.Background()
	m, err := manager.New(manager.Config{Daemon: roles.Slave, Builtin: []facade.Library{example.Library}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	if err := m.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	calc, closing, err := manager.LoadModule[calculator.Calculator](ctx, m, "org_apache_mesos_ExampleCalculator")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(calc.Compute(ctx, 'A', 10))
	fmt.Println(closing(ctx))
	// Output:
	// 75 <nil>
	// <nil>
}

// What stands against a set of modules comes in one error, each finding with a
// rule, a path and a mend.
func ExampleManager_Start_findings() {
	m, err := manager.New(manager.Config{
		Daemon: roles.Slave, Builtin: []facade.Library{example.Library},
		Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: "org_apache_mesos_ExampleCalculater"}}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	var found *finding.Error
	if errors.As(m.Start(context.Background()), &found) {
		for _, f := range found.Findings {
			fmt.Printf("%s: %s\n%s\n", f.Rule, f.Problem, f.Mend)
		}
	}
	// Output:
	// binding: --calculator names org_apache_mesos_ExampleCalculater, and no such module is loaded
	// did you mean org_apache_mesos_ExampleCalculator? Loaded modules of role Calculator: org_apache_mesos_ExampleCalculator
}

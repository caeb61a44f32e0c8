package validate

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// anyExecutor looks at what a LAUNCH and a LAUNCH_GROUP ask of an executor alike.
// needsFramework says whether it must name its framework.
func anyExecutor(e *mesosv1.ExecutorInfo, tc TaskContext, needsFramework bool) error {
	if err := ID(e.GetExecutorId().GetValue()); err != nil {
		return fmt.Errorf("Executor has an invalid ID: %w", err)
	}
	if err := executorType(e); err != nil {
		return err
	}
	if err := executorFramework(e, tc, needsFramework); err != nil {
		return err
	}
	if e.GetShutdownGracePeriod().GetNanoseconds() < 0 {
		return errors.New("ExecutorInfo's 'shutdown_grace_period' must be non-negative")
	}
	if err := usable(e.GetResources(), tc); err != nil {
		return fmt.Errorf("Executor uses invalid resources: %w", err)
	}
	if err := together("Executor's resources", e.GetResources()); err != nil {
		return err
	}
	if err := command(e.GetCommand()); err != nil {
		return fmt.Errorf("Executor's 'CommandInfo' is invalid: %w", err)
	}
	if err := containerInfo(e.GetContainer()); err != nil {
		return fmt.Errorf("Executor's 'ContainerInfo' is invalid: %w", err)
	}
	running := tc.RunningExecutor(e.GetExecutorId().GetValue())
	if running != nil && !sameExecutor(e, running, tc.Framework.GetId()) {
		return fmt.Errorf("ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '%s'", e.GetExecutorId().GetValue())
	}
	return nil
}

func executorType(e *mesosv1.ExecutorInfo) error {
	switch e.GetType() {
	case mesosv1.ExecutorInfo_DEFAULT:
		switch {
		case e.Command != nil:
			return errors.New("'ExecutorInfo.command' must not be set for 'DEFAULT' executor")
		case e.Container == nil:
			return nil
		case e.GetContainer().GetType() != mesosv1.ContainerInfo_MESOS:
			return errors.New("'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor")
		case e.GetContainer().GetMesos().GetImage() != nil:
			return errors.New("'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor")
		}
	case mesosv1.ExecutorInfo_CUSTOM:
		if e.Command == nil {
			return errors.New("'ExecutorInfo.command' must be set for 'CUSTOM' executor")
		}
	default: // UNKNOWN: each kind of launch has its own rule for it
	}
	return nil
}

func executorFramework(e *mesosv1.ExecutorInfo, tc TaskContext, needed bool) error {
	switch {
	case e.FrameworkId == nil && !needed:
		return nil
	case e.FrameworkId == nil:
		return errors.New("'ExecutorInfo.framework_id' must be set")
	case e.GetFrameworkId().GetValue() != tc.Framework.GetId().GetValue():
		return fmt.Errorf("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)",
			printable(e.GetFrameworkId().GetValue()), tc.Framework.GetId().GetValue())
	default:
		return nil
	}
}

// sameExecutor compares valid executors as the master sees them: with the framework
// filled in, and resources whatever their order, shape and allocation.
func sameExecutor(a, b *mesosv1.ExecutorInfo, framework *mesosv1.FrameworkID) bool {
	if !sameResources(a.GetResources(), b.GetResources()) {
		return false
	}
	plain := func(e *mesosv1.ExecutorInfo) *mesosv1.ExecutorInfo {
		c := proto.CloneOf(e)
		c.Resources = nil
		if c.FrameworkId == nil {
			c.FrameworkId = framework
		}
		return c
	}
	return proto.Equal(plain(a), plain(b))
}

func sameResources(a, b []*mesosv1.Resource) bool {
	ra, errA := resources.New(a)
	rb, errB := resources.New(b)
	return errA == nil && errB == nil && ra.Unallocate().Equal(rb.Unallocate())
}

package seccomp_test

import (
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/seccomp"
)

// What no rule names gets the default action.
func Example() {
	profile := &seccomp.ContainerSeccompProfile{
		DefaultAction: seccomp.ContainerSeccompProfile_Syscall_ACT_ERRNO.Enum(),
		Syscalls: []*seccomp.ContainerSeccompProfile_Syscall{{
			Names:  []string{"read", "write"},
			Action: seccomp.ContainerSeccompProfile_Syscall_ACT_ALLOW.Enum(),
		}},
	}
	fmt.Println(profile.GetDefaultAction(), profile.GetSyscalls()[0].GetAction())
	// Output: ACT_ERRNO ACT_ALLOW
}

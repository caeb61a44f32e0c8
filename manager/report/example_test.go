package report_test

import (
	"os"
	"time"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/report"
)

func ExampleVerification_WriteText() {
	v := report.Verification{Daemon: "mesos-slave", MesosVersion: "1.12.0", Findings: []finding.Finding{{
		Rule: finding.Requirement, Module: "org_example_sum", Library: "/opt/libsum.so",
		Path:    []string{"--calculator", "org_example_sum", "org_example_base"},
		Problem: "org_example_sum requires org_example_base >=1.1, which is not there",
		Mend:    "add org_example_base (none is at hand), or drop what requires it",
	}}}
	_ = v.WriteText(os.Stdout, report.Style{Width: 60})
	// Output:
	// mesos-slave 1.12.0: 1 finding
	//
	// 1. requirement: module org_example_sum: /opt/libsum.so
	//    org_example_sum requires org_example_base >=1.1, which is
	//    not there
	//    path: --calculator -> org_example_sum -> org_example_base
	//    mend: add org_example_base (none is at hand), or drop
	//          what requires it
	//
	// "mesos-module rules" explains each rule.
}

func ExampleTeardown_WriteText() {
	t := report.Teardown{Daemon: "mesos-master", Took: 2 * time.Millisecond,
		Modules:   []report.ClosedModule{{Module: "org_example_sum", Outcome: report.Closed, Time: time.Millisecond}},
		Libraries: []report.ClosedLibrary{{Library: "/opt/libsum.so", Outcome: report.Stays, Why: "Go plugins cannot"}},
	}
	_ = t.WriteText(os.Stdout, report.Style{})
	// Output:
	// mesos-master teardown in 2ms: 1 module (1 closed); 1 library (1 cannot be unloaded)
	//
	// MODULE           OUTCOME  TIME  WHY
	// org_example_sum  closed   1ms   -
	//
	// LIBRARY         OUTCOME             WHY
	// /opt/libsum.so  cannot be unloaded  Go plugins cannot
}

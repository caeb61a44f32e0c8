// Package moduletest is the test kit for module authors: it drives one module through
// all phases of a daemon in a unit test, and holds it against the contract of its role.
//
// # Three lines
//
//	kit := moduletest.New(t, adder.Library)
//	calc := moduletest.Load[calculator.Calculator](kit, "org_example_adder")
//	sum, err := calc.Compute(t.Context(), 'A', 10)
//
// [Load] is what a daemon does with --modules: it loads the library, verifies the
// module (the test fails with every finding), makes it, and binds it. What it returns
// is the handle that a daemon would hold, so a panic in the module is an error. The
// kit closes itself when the test is over; [Kit.Close] does it at once. The test fails
// if teardown reports anything, if a call has panicked, or if a goroutine that the
// module started is left. Nothing outside of the test is needed: no daemon, no file.
//
// # And one more
//
//	func TestConformance(t *testing.T) {
//		moduletest.Conformance(t, adder.Library, "org_example_adder")
//	}
//
// [Conformance] runs the suite of the module's role: the sentences of the contract that
// stands on the role's interface, each as a subtest. Run it with -race.
// [AllocatorBehaviours] asks more of an Allocator that is to take the place of the one
// that comes with Mesos: exactly its offers.
//
// # What a module finds
//
// Options say what the module finds: [Parameter], [With] (what it requires; [StandIn]
// makes a library of a fake), [On] and [MesosVersion] (in which daemon it is),
// [StateDir], [Limits]. What it did can be asked: [Kit.Verify] and [Kit.RequireFinding]
// return findings as values, [Kit.Events] and [Kit.Steps] what happened in which order,
// [Kit.Log], [Kit.Metric] and [Kit.Modules] what it told, and [Kit.Shown] where a text
// can be read by others, which for a secret is nowhere.
//
// # What goes wrong
//
// Faults are options as well: [FailStateDir], [CancelNew], [WithoutRequirement],
// [BreakRequirement], [HangRequirement]; [Kit.EndLifetime] comes while the module runs.
// [TryLoad] returns the error instead of failing the test. [Kit.Hammer] calls from many
// goroutines at once.
//
// # Time
//
// There is no clock to be injected: run the test in a bubble of testing/synctest, and
// all time in it is fake, the module's as well as that of limits and events. A
// constructor that hangs then meets its limit of an hour at once:
//
//	synctest.Test(t, func(t *testing.T) {
//		kit := moduletest.New(t, slow.Library, moduletest.Limits(manifest.Limits{Create: time.Hour}))
//		_, err := moduletest.TryLoad[calculator.Calculator](kit, "org_example_slow")
//		require.ErrorIs(t, err, context.DeadlineExceeded)
//	})
//
// The kit has to be made inside of the bubble, and its subject has to be a value: a
// library file is opened in a child process, which knows no fake time. A bubble does
// not end while a goroutine of it hangs: the module has to heed its contexts.
//
// # Built libraries
//
// [File] is a built library as the subject: a C or C++ one, a Go plugin, an executable. It is
// opened in a child process first, as in a daemon; the child is the test binary, so
// its package has a TestMain that calls [Main]. A Go plugin opens only in a binary that
// was built with the same Go version, flags and packages, which a test binary seldom
// is: test the Library value of its package, and have "mesos-module verify" ask the
// daemon about the built file.
//
// An executable that serves a library runs in a process of its own, and so does any
// other with [InProcess]: calls, faults and suites are the same.
//
// # Parallel tests
//
// Kits share nothing but the process, and tests that use them may run in parallel:
// goroutines that are left are told from those of other tests. They are found by a mark
// that goroutines inherit; so start what the test needs for itself before [New], or end
// it before the kit is closed.
package moduletest

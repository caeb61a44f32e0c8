// Package conformance holds no code: its tests state what the module system is
// for, against the two texts it was built from and the behaviour of Apache Mesos,
// with real libraries.
//
//   - upstream_test.go is one table with every case of upstream's module tests, and
//     those that upstream has no test for.
//   - TestSeed has one test for each sentence of the module system's design
//     document and of the module guide, named after it; the files seed_*_test.go.
//   - implementor_test.go adds a role to a copy of this module.
//   - report_test.go holds everything wrong at once against one manifest.
//   - hygiene_test.go looks for secrets and for locks.
//
// The test binary is the daemon: it opens native libraries and Go plugins that the
// tests build for it, so gcc, g++ and go are needed.
package conformance

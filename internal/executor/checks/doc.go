// Package checks runs the check and the health check of a task: one attempt after another, each within its timeout, the
// next an interval after the end of the one before.
//
// A check tells what it found, whenever that changes, and nothing follows from it. A health check tells whether the task
// is well, and after so many failures in a row that it is to be killed; failures before the first success do not count
// within the grace period.
//
// What an attempt does is a [Probe]. Those for HTTP and TCP are here; running a command is for the executor, which
// knows where.
package checks

// Package testharness is what the repository's own tests of the module system
// share: modules that write down what happens to them and fail on demand, and
// assertions about the order of the phases. Module authors use
// facade/moduletest instead.
package testharness

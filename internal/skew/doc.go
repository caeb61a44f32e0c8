// Package skew holds the tests of what the process vehicle is for: modules and daemons of
// different releases. Older and newer copies of the module system are made from the
// sources that are here, by taking things away and putting things in; modules are built
// with the copies, as Go modules of their own, and run in the present daemon.
package skew

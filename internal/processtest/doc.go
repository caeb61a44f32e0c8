// Package processtest holds modules that run in processes of their own to the contracts
// of their roles. It is a package of its own because most of what it does is done by
// programs that are built without the race detector.
package processtest

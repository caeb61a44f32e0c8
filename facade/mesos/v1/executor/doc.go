// Package executor holds the executor API: the calls an executor sends to its agent and the events it gets back.
package executor

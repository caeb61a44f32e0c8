// Package scheduler holds the scheduler API: the calls a framework sends to the master and the events it gets back.
package scheduler

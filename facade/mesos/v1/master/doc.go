// Package master holds the operator API of the master: calls, responses and the events of its subscription.
package master

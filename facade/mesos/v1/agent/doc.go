// Package agent holds the operator API of an agent: calls, responses and the frames of attached terminals.
package agent

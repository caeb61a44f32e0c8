// Package operator answers what tools ask of an agent: its v1 operator API, the calls
// with which containers are launched within others and attached to, and the older
// routes that give JSON.
package operator

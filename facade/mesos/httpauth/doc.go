// Package httpauth holds what modules are told about an HTTP request and who sent it, and what they make of it.
package httpauth

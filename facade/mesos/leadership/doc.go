// Package leadership holds how masters find out which of them leads, and agents and clients with them.
package leadership

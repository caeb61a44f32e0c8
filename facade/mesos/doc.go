// Package mesos is the folder of the API messages.
//
// A message has the place its .proto file has in Apache Mesos: package mesos.v1.scheduler is in v1/scheduler, and so on.
// Two folders are ours: allocation and handshake hold what the roles Allocator, Authenticator and Authenticatee need and
// Apache Mesos passes as C++ values. The .proto files are the source of the Go code beside them, by way of
// internal/gen/proto, and testdata/fields.txt is what holds them to the names and numbers of Apache Mesos.
package mesos

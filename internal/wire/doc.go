// Package wire holds the messages that master and agent exchange, those of the
// authentication between them, and the registry: the package mesos.internal of
// Apache Mesos, of which only the bytes matter. Where Mesos uses its unversioned
// types, the v1 ones stand in for them; their bytes are the same but for
// SlaveInfo.checkpoint, which [WithCheckpoint] adds.
//
// Messages of unversioned frameworks and executors are not here: those speak to
// libmesos.
package wire

//go:generate go run github.com/mesos-modules/mms/internal/gen/proto . ../../facade

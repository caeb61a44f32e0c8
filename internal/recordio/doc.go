// Package recordio frames records in a stream the way the Mesos v1 HTTP API does: each record is its length in bytes as a
// decimal number, a line feed, and the bytes. Nothing stands between a record and the next length.
//
//	5
//	hello6
//	world!
//
// Scheduler, executor and operator event streams are made of such records, and so are the bodies of the calls that attach
// to a container. The package knows nothing of what is in a record, and starts no goroutine.
//
// A reader trusts nothing: the length line is bounded, a record is refused by its length before memory is taken for it,
// and memory is taken only as bytes arrive. After a bad length there is no telling where the next record begins, so the
// first error is the last word of a stream, as it is in Mesos.
package recordio

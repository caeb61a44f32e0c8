// Package v1client speaks Mesos' v1 HTTP API from the client's side: calls, event streams in RecordIO frames, and the
// attach calls, whose request is a stream too. Messages travel as protobuf or as JSON.
//
// A [Client] knows one endpoint. On it stand [Scheduler], which keeps the stream id that a master gives, and
// [Executor], which subscribes again for as long as the agent may come back. Calls to the operator API need neither.
//
// No goroutine is left when the context of a call has ended, or when its stream, and at last the client, is closed.
// What comes in is bounded. Answers other than success are a [*StatusError].
package v1client

// Package wire says what crosses between the daemon and the process of a library, in
// protobuf's wire form: values (Encoder, Decoder), errors with their identity, and
// objects that the two sides lend each other (Conn, Servant, Remote, Loan).
//
// Whatever comes from the other side is untrusted: reading it is bounded and never
// panics.
package wire

// Package libprocess carries messages between daemons in the form of Apache Mesos'
// libprocess: each is a POST to /<process>/<full name of the message> with the
// serialised message as body and the sender in the header Libprocess-From. Answers
// say only that a message arrived, or that nobody has that name.
//
// Each side opens a connection of its own to the other's address, and messages to
// one peer arrive in the order in which they were sent, or not at all. A link is
// such a connection that somebody watches: its end is how a daemon finds out that
// the other one is gone.
package libprocess

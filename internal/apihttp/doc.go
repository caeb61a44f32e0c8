// Package apihttp is what the HTTP APIs of both daemons share, in the form that
// Apache Mesos gives it: which types a client sends and accepts, the texts of
// refusals, compressed answers, JSONP, streams of events, requests that are streams
// themselves, how paths find their handlers, and who sent a request.
//
// Handlers put these parts together; the order of their checks is part of the API
// and theirs. Everything that comes in is bounded in size; how long a client may
// take is up to the deadlines of the connection.
package apihttp

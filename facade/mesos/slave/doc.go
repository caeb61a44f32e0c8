// Package slave holds what an agent, its containerizer and its isolators tell each other about a container.
//
// Apache Mesos keeps these messages beside its older, unversioned API; here they refer to the v1 messages, which have the
// same numbers, so that the bytes are the same.
package slave

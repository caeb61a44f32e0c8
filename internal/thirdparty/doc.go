// Package thirdparty holds tests with clients that others wrote for Apache Mesos,
// unmodified: the daemons have to work with them as Mesos does. They come from
// Debian's package golang-github-mesos-mesos-go-dev, which is built without modules.
package thirdparty

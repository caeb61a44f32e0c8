// Package mesosv1 holds the messages of the Mesos v1 API: what frameworks, executors, operators, agents and modules say
// to each other. They have the names, numbers, labels, defaults and declaration order of Apache Mesos 1.12 and so the
// same bytes on the wire; the packages below add the calls and events of each HTTP API.
//
// The messages are proto2. A required field that is not set makes proto.Marshal and proto.Unmarshal fail; an optional
// one is a pointer, read with its getter, which gives the declared default. The first declared value of an enum is what
// an unset field reads as, and that need not be the value 0: an unset TaskState reads TASK_STAGING, which is 6. A number no
// enum value has stays in its field, unlike in C++, where such a field reads as unset: check numbers that come from afar.
//
// The .proto files beside the Go code are the source. To change one, edit it and run go generate.
package mesosv1

//go:generate go run github.com/mesos-modules/mms/internal/gen/proto ../..

package roles

//go:generate go run github.com/mesos-modules/mms/internal/gen/role

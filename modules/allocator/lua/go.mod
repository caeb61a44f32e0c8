module github.com/mesos-modules/mms/modules/allocator/lua

go 1.26.0

require github.com/yuin/gopher-lua v1.1.2

require (
	github.com/stretchr/testify v1.12.1 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/mesos-modules/mms => ../../..

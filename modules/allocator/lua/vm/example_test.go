package vm_test

import (
	"fmt"
	"time"

	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
)

// A script that wants too much is stopped, where it is.
func Example() {
	program, err := vm.Compile("grow.lua", `
log("it begins")
local text = "x"
while true do
  text = text .. text
end`)
	if err != nil {
		fmt.Println(err)
		return
	}
	session := program.Start(vm.Limits{Instructions: 1_000_000, Memory: 1 << 20, Time: time.Second},
		vm.Options{Log: func(text string) { fmt.Println(text) }})
	defer session.End()
	fmt.Println(session.Load())
	// Output:
	// it begins
	// grow.lua:5: stopped: it met the limit of memory, which is 1 MB
}

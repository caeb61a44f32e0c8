package include_test

import (
	"fmt"
	"io/fs"

	"github.com/mesos-modules/mms/facade/include"
)

// The headers of the roles that native modules can fulfil stand at the top, where
// authors include them.
func Example() {
	headers, err := fs.Glob(include.Files, "*.hpp")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range headers {
		fmt.Println(h)
	}
	// Output:
	// anonymous.hpp
	// calculator.hpp
	// test_module.hpp
}

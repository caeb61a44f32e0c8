package include_test

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/mesos-modules/mms/facade/include"
)

// The header of each role that native modules can fulfil stands at the top, where
// authors include it. (The test names no more than one, so that a new role changes
// nothing here.)
func Example() {
	header, err := include.Files.Open("calculator.hpp")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer header.Close()
	for lines := bufio.NewScanner(header); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "class ") || strings.Contains(lines.Text(), " = 0;") {
			fmt.Println(lines.Text())
		}
	}
	// Output:
	// class Calculator {
	//   virtual int compute(char a, long b) = 0;
}

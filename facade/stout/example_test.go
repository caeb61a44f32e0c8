package stout_test

import (
	"fmt"

	"github.com/mesos-modules/mms/facade/stout"
)

func ExampleParseDuration() {
	d, err := stout.ParseDuration("1.5mins")
	fmt.Println(d, err)
	_, err = stout.ParseDuration("90s")
	fmt.Println(err)
	// Output:
	// 1m30s <nil>
	// want a number and one of ns, us, ms, secs, mins, hrs, days, weeks without a space, like "5secs"
}

func ExampleBytes() {
	b, err := stout.ParseBytes("2048mb")
	fmt.Println(uint64(b), b, err)
	// Output: 2147483648 2GB <nil>
}

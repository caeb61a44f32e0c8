package allocator_test

import (
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/v1/allocator"
)

// The numbers of the answers begin at 1.
func Example() {
	fmt.Println(allocator.InverseOfferStatus_UNKNOWN.Number(), (&allocator.InverseOfferStatus{}).GetStatus())
	// Output: 1 UNKNOWN
}

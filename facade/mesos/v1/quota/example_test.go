package quota_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
)

// A resource that a quota does not name has no guarantee and no limit.
func Example() {
	config := &quota.QuotaConfig{
		Role:   proto.String("web"),
		Limits: map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(10)}},
	}
	_, limited := config.GetLimits()["mem"]
	fmt.Println(config.GetLimits()["cpus"].GetValue(), limited)
	// Output: 10 false
}

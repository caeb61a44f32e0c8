package persistent_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/persistent"
)

func ExampleVolumes() {
	disk := &mesosv1.Resource{
		Name: proto.String("disk"), Reservations: []*mesosv1.Resource_ReservationInfo{{Role: proto.String("eng/db")}},
		Disk: &mesosv1.Resource_DiskInfo{
			Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: proto.String("tables")},
			Volume:      &mesosv1.Volume{ContainerPath: proto.String("data"), Mode: mesosv1.Volume_RO.Enum()},
		},
	}
	volumes, err := persistent.Volumes("/var/lib/mesos", []*mesosv1.Resource{disk})
	fmt.Println(volumes[0].Path, volumes[0].Container, volumes[0].ReadOnly, err)
	// Output: /var/lib/mesos/volumes/roles/eng db/tables data true <nil>
}

package catalog

import "github.com/mesos-modules/mms/manager/vehicle"

// apart are the modules whose packages the daemons do not have in their go.mod. A test
// compares what stands here with their sources.
func apart() []Module {
	return []Module{
		{Name: "org_apache_mesos_LuaAllocator", Role: "Allocator", Version: "1.0.0", Vehicles: []string{vehicle.GoPlugin},
			Description: "Offers resources as a Lua script says, which is read again when it changes."},
		{Name: "org_apache_mesos_RuncContainerizer", Role: "Containerizer", Version: "1.0.0", Vehicles: []string{vehicle.GoPlugin},
			Description: "Runs containers with runc, from images in a folder."},
	}
}

// native are those that exist in C++ as well, under the same name. A test compares.
var native = []string{
	"org_apache_mesos_CRAMMD5Authenticatee",
	"org_apache_mesos_CRAMMD5Authenticator",
	"org_apache_mesos_CommandIsolator",
	"org_apache_mesos_EnvironmentDecoratorHook",
	"org_apache_mesos_LabelDecoratorHook",
	"org_apache_mesos_TestModule",
}

package local

import (
	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// rule says which list decides about an action, what its entries call their objects,
// and what of a request's object they name.
type rule struct {
	list, objects string
	object        func(*authorization.Object) entity
}

// actions are those that have lists. Several lists of one action all have to allow it.
var actions = map[authorization.Action][]rule{
	authorization.Action_REGISTER_FRAMEWORK:              {{"register_frameworks", "roles", frameworkRoles}},
	authorization.Action_RUN_TASK:                        {{"run_tasks", "users", taskUser}},
	authorization.Action_TEARDOWN_FRAMEWORK:              {{"teardown_frameworks", "framework_principals", frameworkPrincipal}},
	authorization.Action_RESERVE_RESOURCES:               {{"reserve_resources", "roles", resourceRole}},
	authorization.Action_UNRESERVE_RESOURCES:             {{"unreserve_resources", "reserver_principals", reserver}},
	authorization.Action_CREATE_VOLUME:                   {{"create_volumes", "roles", resourceRole}},
	authorization.Action_DESTROY_VOLUME:                  {{"destroy_volumes", "creator_principals", creator}},
	authorization.Action_RESIZE_VOLUME:                   {{"resize_volumes", "roles", resourceRole}},
	authorization.Action_GET_ENDPOINT_WITH_PATH:          {{"get_endpoints", "paths", value}},
	authorization.Action_VIEW_ROLE:                       {{"view_roles", "roles", value}},
	authorization.Action_UPDATE_WEIGHT:                   {{"update_weights", "roles", weightRole}},
	authorization.Action_GET_QUOTA:                       {{"get_quotas", "roles", quotaRole}},
	authorization.Action_UPDATE_QUOTA:                    {{"update_quotas", "roles", quotaRole}},
	authorization.Action_UPDATE_QUOTA_WITH_CONFIG:        {{"update_quotas", "roles", quotaRole}},
	authorization.Action_VIEW_FRAMEWORK:                  {{"view_frameworks", "users", frameworkUser}},
	authorization.Action_VIEW_TASK:                       {{"view_tasks", "users", taskUser}},
	authorization.Action_VIEW_EXECUTOR:                   {{"view_executors", "users", executorUser}},
	authorization.Action_ACCESS_SANDBOX:                  {{"access_sandboxes", "users", executorUser}},
	authorization.Action_ACCESS_MESOS_LOG:                {{"access_mesos_logs", "logs", whole}},
	authorization.Action_VIEW_FLAGS:                      {{"view_flags", "flags", whole}},
	authorization.Action_LAUNCH_NESTED_CONTAINER:         {{"launch_nested_containers_as_user", "users", commandUser}, {"launch_nested_containers_under_parent_with_user", "users", executorUser}},
	authorization.Action_LAUNCH_NESTED_CONTAINER_SESSION: {{"launch_nested_container_sessions_as_user", "users", commandUser}, {"launch_nested_container_sessions_under_parent_with_user", "users", executorUser}},
	authorization.Action_ATTACH_CONTAINER_INPUT:          {{"attach_containers_input", "users", executorUser}},
	authorization.Action_ATTACH_CONTAINER_OUTPUT:         {{"attach_containers_output", "users", executorUser}},
	authorization.Action_KILL_NESTED_CONTAINER:           {{"kill_nested_containers", "users", executorUser}},
	authorization.Action_WAIT_NESTED_CONTAINER:           {{"wait_nested_containers", "users", executorUser}},
	authorization.Action_REMOVE_NESTED_CONTAINER:         {{"remove_nested_containers", "users", executorUser}},
	authorization.Action_VIEW_CONTAINER:                  {{"view_containers", "users", executorUser}},
	authorization.Action_SET_LOG_LEVEL:                   {{"set_log_level", "level", whole}},
	authorization.Action_REGISTER_AGENT:                  {{"register_agents", "agents", whole}},
	authorization.Action_UPDATE_MAINTENANCE_SCHEDULE:     {{"update_maintenance_schedules", "machines", whole}},
	authorization.Action_GET_MAINTENANCE_SCHEDULE:        {{"get_maintenance_schedules", "machines", whole}},
	authorization.Action_START_MAINTENANCE:               {{"start_maintenances", "machines", whole}},
	authorization.Action_STOP_MAINTENANCE:                {{"stop_maintenances", "machines", whole}},
	authorization.Action_GET_MAINTENANCE_STATUS:          {{"get_maintenance_statuses", "machines", whole}},
	authorization.Action_DRAIN_AGENT:                     {{"drain_agents", "agents", whole}},
	authorization.Action_DEACTIVATE_AGENT:                {{"deactivate_agents", "agents", whole}},
	authorization.Action_REACTIVATE_AGENT:                {{"reactivate_agents", "agents", whole}},
	authorization.Action_MARK_AGENT_GONE:                 {{"mark_agents_gone", "agents", whole}},
	authorization.Action_LAUNCH_STANDALONE_CONTAINER:     {{"launch_standalone_containers", "users", commandUser}},
	authorization.Action_KILL_STANDALONE_CONTAINER:       {{"kill_standalone_containers", "users", whole}},
	authorization.Action_WAIT_STANDALONE_CONTAINER:       {{"wait_standalone_containers", "users", whole}},
	authorization.Action_REMOVE_STANDALONE_CONTAINER:     {{"remove_standalone_containers", "users", whole}},
	authorization.Action_VIEW_STANDALONE_CONTAINER:       {{"view_standalone_containers", "users", whole}},
	authorization.Action_MODIFY_RESOURCE_PROVIDER_CONFIG: {{"modify_resource_provider_configs", "resource_providers", whole}},
	authorization.Action_MARK_RESOURCE_PROVIDER_GONE:     {{"mark_resource_providers_gone", "resource_providers", whole}},
	authorization.Action_VIEW_RESOURCE_PROVIDER:          {{"view_resource_providers", "resource_providers", whole}},
	authorization.Action_PRUNE_IMAGES:                    {{"prune_images", "images", whole}},
	authorization.Action_CREATE_BLOCK_DISK:               {{"create_block_disks", "roles", resourceRole}},
	authorization.Action_DESTROY_BLOCK_DISK:              {{"destroy_block_disks", "roles", resourceRole}},
	authorization.Action_CREATE_MOUNT_DISK:               {{"create_mount_disks", "roles", resourceRole}},
	authorization.Action_DESTROY_MOUNT_DISK:              {{"destroy_mount_disks", "roles", resourceRole}},
	authorization.Action_DESTROY_RAW_DISK:                {{"destroy_raw_disks", "roles", resourceRole}},
}

// listed are the names of all lists, each with what its entries call their objects.
var listed = func() map[string]string {
	all := map[string]string{}
	for _, rules := range actions {
		for _, r := range rules {
			all[r.list] = r.objects
		}
	}
	return all
}()

// known is a value that a request names, and anything if it names none.
func known(value string) entity {
	if value == "" {
		return anything
	}
	return some(value)
}

// whole is for actions that are about all there is.
func whole(*authorization.Object) entity { return anything }

func value(o *authorization.Object) entity { return known(o.GetValue()) }

// frameworkRoles are all roles of a framework.
func frameworkRoles(o *authorization.Object) entity {
	info := o.GetFrameworkInfo()
	switch {
	case o.GetValue() != "":
		return some(o.GetValue())
	case info == nil:
		return anything
	case len(info.GetRoles()) > 0:
		return some(info.GetRoles()...)
	default:
		return some(info.GetRole())
	}
}

func frameworkUser(o *authorization.Object) entity { return known(o.GetFrameworkInfo().GetUser()) }

func frameworkPrincipal(o *authorization.Object) entity {
	if o.GetValue() != "" {
		return some(o.GetValue())
	}
	return known(o.GetFrameworkInfo().GetPrincipal())
}

// taskUser is the user that a task runs as: its command's, its executor's, its
// framework's.
func taskUser(o *authorization.Object) entity {
	for _, user := range []string{
		o.GetTaskInfo().GetCommand().GetUser(), o.GetTaskInfo().GetExecutor().GetCommand().GetUser(), o.GetTask().GetUser(),
		o.GetExecutorInfo().GetCommand().GetUser(), o.GetFrameworkInfo().GetUser(),
	} {
		if user != "" {
			return some(user)
		}
	}
	return anything
}

func executorUser(o *authorization.Object) entity {
	if user := o.GetExecutorInfo().GetCommand().GetUser(); user != "" {
		return some(user)
	}
	return known(o.GetFrameworkInfo().GetUser())
}

// commandUser is the user of a container's command, or of what it is within.
func commandUser(o *authorization.Object) entity {
	if user := o.GetCommandInfo().GetUser(); user != "" {
		return some(user)
	}
	return executorUser(o)
}

// resourceRole is the role that a resource is reserved for.
func resourceRole(o *authorization.Object) entity {
	if n := len(o.GetResource().GetReservations()); n > 0 {
		return some(o.GetResource().GetReservations()[n-1].GetRole())
	}
	return known(firstOf(o.GetResource().GetRole(), o.GetValue()))
}

// reserver is who made the last reservation of a resource.
func reserver(o *authorization.Object) entity {
	var last *mesosv1.Resource_ReservationInfo
	if n := len(o.GetResource().GetReservations()); n > 0 {
		last = o.GetResource().GetReservations()[n-1]
	}
	return known(firstOf(last.GetPrincipal(), o.GetResource().GetReservation().GetPrincipal(), o.GetValue()))
}

func creator(o *authorization.Object) entity {
	return known(firstOf(o.GetResource().GetDisk().GetPersistence().GetPrincipal(), o.GetValue()))
}

func weightRole(o *authorization.Object) entity {
	return known(firstOf(o.GetWeightInfo().GetRole(), o.GetValue()))
}

func quotaRole(o *authorization.Object) entity {
	return known(firstOf(o.GetQuotaInfo().GetRole(), o.GetValue()))
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

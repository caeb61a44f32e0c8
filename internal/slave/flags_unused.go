package slave

import "github.com/mesos-modules/mms/internal/flags"

// unused are flags of Mesos' agent that do nothing here, by why.
type unused struct {
	why   string
	flags []unusedFlag
}

// unusedFlag is one of them, with its kind and default. Its values are checked like
// those of others.
type unusedFlag struct{ kind, name, standard string }

// unusedFlags are in the order of the help.
func unusedFlags() []unused {
	return []unused{
		{"the isolators of control groups here limit processors, memory and processes", []unusedFlag{
			{"text", "agent_subsystems", ""}, {"json", "allowed_devices", ""}, {"text", "cgroups_net_cls_primary_handle", ""},
			{"text", "cgroups_net_cls_secondary_handles", ""}, {"duration", "perf_duration", "10secs"}, {"text", "perf_events", ""},
			{"duration", "perf_interval", "1mins"}, {"bool", "systemd_enable_support", "true"},
			{"text", "systemd_runtime_directory", "/run/systemd/system"}, {"text", "nvidia_gpu_devices", ""},
		}},
		{"there is no isolator here for shared memory, filters of system calls and the groups of volumes", []unusedFlag{
			{"bool", "disallow_sharing_agent_ipc_namespace", ""},
			{"bytes", "default_container_shm_size", ""},
			{"text", "host_path_volume_force_creation", ""}, {"text", "seccomp_config_dir", ""}, {"text", "seccomp_profile_name", ""},
			{"text", "volume_gid_range", ""},
		}},
		{"there is no isolator here that leaves the disk of containers to XFS", []unusedFlag{
			{"bool", "xfs_kill_containers", ""}, {"text", "xfs_project_range", "[5000-10000]"}, {"bytes", "xfs_quota_headroom", "10MB"},
		}},
		{"containers share the network of the host", []unusedFlag{
			{"json", "default_container_dns", ""}, {"text", "network_cni_config_dir", ""},
			{"bool", "network_cni_metrics", "true"}, {"text", "network_cni_plugins_dir", ""}, {"bool", "network_cni_root_dir_persist", ""},
			{"bytes", "egress_burst", ""}, {"bytes", "egress_ceil_limit", ""}, {"text", "egress_flow_classifier_parent", "root"},
			{"bytes", "egress_rate_limit_per_container", ""}, {"text", "egress_rate_per_cpu", ""}, {"bool", "egress_unique_flow_per_container", ""},
			{"port", "ephemeral_ports_per_container", "1024"}, {"text", "eth0_name", ""}, {"bytes", "ingress_burst", ""},
			{"bytes", "ingress_ceil_limit", ""}, {"bool", "ingress_isolate_existing_containers", "true"}, {"bytes", "ingress_rate_limit_per_container", ""},
			{"text", "ingress_rate_per_cpu", ""}, {"text", "lo_name", ""}, {"bytes", "maximum_egress_rate_limit", ""},
			{"bytes", "maximum_ingress_rate_limit", ""}, {"bytes", "minimum_egress_rate_limit", ""}, {"bytes", "minimum_ingress_rate_limit", ""},
			{"bool", "network_enable_rate_statistics", ""}, {"bool", "network_enable_snmp_statistics", ""},
			{"bool", "network_enable_socket_statistics_details", ""}, {"bool", "network_enable_socket_statistics_summary", ""},
			{"bytes", "network_link_speed", ""}, {"duration", "network_rate_statistics_interval", ""}, {"duration", "network_rate_statistics_window", ""},
			{"text", "ip6", ""}, {"text", "ip6_discovery_command", ""},
		}},
		{"images are folders here, which nobody fetches", []unusedFlag{
			{"text", "appc_simple_discovery_uri_prefix", "http://"}, {"text", "appc_store_dir", "/tmp/mesos/store/appc"},
			{"json", "default_container_info", ""}, {"text", "docker", "docker"}, {"json", "docker_config", ""}, {"bool", "docker_ignore_runtime", ""},
			{"bool", "docker_kill_orphans", "true"}, {"text", "docker_mesos_image", ""}, {"text", "docker_registry", "https://registry-1.docker.io"},
			{"duration", "docker_remove_delay", "6hrs"}, {"text", "docker_socket", "/var/run/docker.sock"}, {"duration", "docker_stop_timeout", "0ns"},
			{"text", "docker_store_dir", "/tmp/mesos/store/docker"}, {"text", "docker_volume_checkpoint_dir", "/var/run/mesos/isolators/docker/volume"},
			{"bool", "docker_volume_chown", ""}, {"json", "image_gc_config", ""}, {"text", "image_providers", ""}, {"text", "image_provisioner_backend", ""},
		}},
		{"this agent has no resource providers", []unusedFlag{
			{"text", "csi_plugin_config_dir", ""}, {"text", "resource_provider_config_dir", ""},
		}},
		{"executors reach the agent at its address", []unusedFlag{
			{"text", "domain_socket_location", ""}, {"bool", "http_executor_domain_sockets", ""},
			{"duration", "executor_reregistration_retry_interval", ""},
		}},
		{"only sandboxes of executors are collected", []unusedFlag{{"bool", "gc_non_executor_container_sandboxes", ""}}},
		{"files are fetched without Hadoop", []unusedFlag{{"text", "hadoop_home", ""}}},
		{"the leader is not found by ZooKeeper here", []unusedFlag{{"duration", "zk_session_timeout", "10secs"}}},
	}
}

// oldNames are deprecated names of flags that do nothing.
var oldNames = map[string]string{"agent_subsystems": "slave_subsystems"}

// declareUnused declares them.
func declareUnused(set *flags.Set) {
	g := set.Group("Flags of Apache Mesos that are accepted and do nothing here")
	for _, u := range unusedFlags() {
		for _, f := range u.flags {
			options := []flags.Option{flags.WithoutUse(u.why)}
			if f.standard != "" {
				options = append(options, flags.Default(f.standard))
			}
			if old, ok := oldNames[f.name]; ok {
				options = append(options, flags.DeprecatedAlias(old))
			}
			f.declare(g, options...)
		}
	}
}

func (f unusedFlag) declare(g *flags.Group, options ...flags.Option) {
	const help = "Without effect."
	switch f.kind {
	case "bool":
		g.Bool(f.name, help, options...)
	case "duration":
		g.Duration(f.name, help, options...)
	case "bytes":
		g.Bytes(f.name, help, options...)
	case "port":
		g.Port(f.name, help, options...)
	case "json":
		g.JSON(f.name, help, options...)
	default:
		g.String(f.name, help, options...)
	}
}

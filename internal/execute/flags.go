package execute

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/v1client"
)

// flagSet is every flag of the program.
type flagSet struct {
	set *flags.Set

	master, contentType, principal, secret, role  *flags.Value[string]
	name, command, resources, networks            *flags.Value[string]
	shell, tty                                    *flags.Value[bool]
	env, task, taskGroup                          *flags.Value[json.RawMessage]
	volumes, rlimits, effective, bounding         *flags.Value[json.RawMessage]
	checkpoint, partitionAware, quiet, showOutput *flags.Value[bool]
	capabilities, appcImage, dockerImage          *flags.Value[string]
	killAfter                                     *flags.Value[time.Duration]
}

const about = "Runs a command, a task or a task group on a cluster, shows its states and its output, and exits with its exit status. " +
	"Ctrl-C kills the task; a second one leaves at once."

func newFlags() *flagSet {
	f := &flagSet{set: flags.New(flags.Config{Program: "mesos-execute", About: about})}
	f.clusterFlags(f.set.Group("Cluster"))
	f.taskFlags(f.set.Group("Task"))
	f.containerFlags(f.set.Group("Container"))
	f.outputFlags(f.set.Group("Output"))
	f.ignoredFlags(f.set.Group("Accepted, without effect here"))
	f.set.Exclude("task", "name", "the name stands in the task")
	f.set.Exclude("task", "command", "the command stands in the task")
	f.set.Exclude("task", "env", "the environment stands in the task")
	f.set.Exclude("task", "volumes", "they stand in the task")
	f.set.Exclude("task", "networks", "they stand in the task")
	f.set.Exclude("task", "docker_image", "it stands in the task")
	f.set.Exclude("task", "appc_image", "it stands in the task")
	f.set.Exclude("appc_image", "docker_image", "a container has one image")
	f.set.Exclude("task", "task_group", "run one after the other")
	f.set.Exclude("task_group", "name", "the names stand in the tasks")
	f.set.Exclude("task_group", "command", "the commands stand in the tasks")
	return f
}

func (f *flagSet) clusterFlags(g *flags.Group) {
	f.master = g.String("master", "The leading master, or one that knows it.", flags.Required(), flags.Example("10.0.0.1:5050"),
		flags.Check(func(text string) error { _, err := masterAddress(text); return err }))
	f.contentType = g.String("content_type", "The form of the messages: protobuf or json.", flags.Default("protobuf"),
		flags.Check(func(text string) error {
			if _, err := v1client.ParseEncoding(text); err != nil {
				return fmt.Errorf("want json or protobuf")
			}
			return nil
		}))
	f.principal = g.String("principal", "Who runs the task, for a cluster that asks.", flags.Example("ops"))
	f.secret = g.String("secret", "The principal's secret. Better given as a file, which others cannot read in the process list.",
		flags.Secret(), flags.Example("file:///etc/mesos/secret"))
	f.role = g.String("role", "The role whose resources are used.", flags.Default("*"))
	f.checkpoint = g.Bool("checkpoint", "Lets the task live on while its agent restarts.")
	f.partitionAware = g.Bool("partition_aware", "Waits for a task whose agent cannot be reached, instead of taking it for lost.", flags.Default("true"))
	f.capabilities = g.String("framework_capabilities", "More capabilities of the framework; GPU_RESOURCES is the one there is.",
		flags.Check(func(text string) error {
			if text != "" && text != gpuResources {
				return fmt.Errorf("only %s can be added", gpuResources)
			}
			return nil
		}))
}

const gpuResources = "GPU_RESOURCES"

func (f *flagSet) taskFlags(g *flags.Group) {
	f.name = g.String("name", "The task's name, and its id. Needed without --task.", flags.Example("nightly"))
	f.command = g.String("command", "The command, for a shell to run; with --no-shell, the path of a program.", flags.Example(`"echo hello; sleep 5"`))
	f.shell = g.Bool("shell", "Runs the command in a shell.", flags.Default("true"))
	f.resources = g.String("resources", "What the task needs.", flags.Default("cpus:1;mem:128"), flags.Example("cpus:0.5;mem:64;ports:[31000-31001]"))
	f.env = g.JSON("env", "The task's environment, as a JSON object.", flags.Example(`'{"LANG": "C"}'`))
	f.task = g.JSON("task", "The whole task, as a JSON TaskInfo; agent_id may be left out.", flags.Example("file:///home/me/task.json"))
	f.taskGroup = g.JSON("task_group", "A group of tasks, as a JSON TaskGroupInfo, for the default executor to run together.", flags.Example("file:///home/me/group.json"))
	f.killAfter = g.Duration("kill_after", "Kills the task when it has run so long.", flags.Example("10mins"))
}

func (f *flagSet) containerFlags(g *flags.Group) {
	f.networks = g.String("networks", "Names of container networks, with commas between.")
	f.volumes = g.JSON("volumes", "Volumes, as a JSON array of Volume.")
	f.rlimits = g.JSON("rlimits", "Limits of the process, as a JSON RLimitInfo.")
	f.effective = g.JSON("effective_capabilities", "Linux capabilities the task has, as a JSON CapabilityInfo.")
	f.bounding = g.JSON("bounding_capabilities", "Linux capabilities the task may get, as a JSON CapabilityInfo.")
	f.tty = g.Bool("tty", "Gives the task a terminal.")
	f.dockerImage = g.String("docker_image", "The image to run the task in, as the agents' containerizer knows it.", flags.Example("alpine:3.20"))
	f.appcImage = g.String("appc_image", "The same, of the kind appc.", flags.Example("example.org/tool"))
	const one = "there is one containerizer"
	g.Choice("containerizer", "Which containerizer runs the task.", []string{"mesos", "docker"}, flags.Default("mesos"), flags.WithoutUse(one))
}

func (f *flagSet) outputFlags(g *flags.Group) {
	f.quiet = g.Bool("quiet", "Prints the task's output alone, and what goes wrong.")
	f.showOutput = g.Bool("show_output", "Prints what the task writes, as it writes it.", flags.Default("true"))
}

func (f *flagSet) ignoredFlags(g *flags.Group) {
	const hadoop = "Hadoop is not supported; put the file where the agents can fetch it, and name it in a task's uris"
	g.String("hadoop", "The path of the hadoop program.", flags.Default("hadoop"), flags.WithoutUse(hadoop))
	g.String("hdfs", "The host of a name node.", flags.Default("localhost:9000"), flags.WithoutUse(hadoop))
	g.Bool("overwrite", "Overwrites the package in HDFS.", flags.WithoutUse(hadoop))
	g.String("package", "A package to upload to HDFS first.", flags.WithoutUse(hadoop))
}

// masterAddress is the host and port of a master, as --master may name it.
func masterAddress(text string) (string, error) {
	if strings.HasPrefix(text, "zk://") {
		return "", fmt.Errorf("want HOST:PORT: there is no ZooKeeper here; any master names the leading one")
	}
	address := strings.TrimSuffix(strings.TrimPrefix(text, "http://"), "/")
	if _, after, found := strings.Cut(address, "@"); found { // as masters write themselves: master@10.0.0.1:5050
		address = after
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return "", fmt.Errorf("want HOST:PORT")
	}
	return net.JoinHostPort(host, port), nil
}

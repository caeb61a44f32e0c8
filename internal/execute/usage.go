package execute

// usageWidth is fixed, so that the program always says the same.
const usageWidth = 100

func (f *flagSet) usage() string {
	return f.set.Usage(usageWidth) + `
EXAMPLES
  Run a command:
      mesos-execute --master=10.0.0.1:5050 --name=hello --command="echo hello"
  Keep its output, and nothing else, in a file:
      mesos-execute --master=10.0.0.1:5050 --name=list --command="ls -l" --quiet > list.txt
  With half a processor, for at most ten minutes:
      mesos-execute --master=10.0.0.1:5050 --name=job --command=./job --resources="cpus:0.5;mem:64" \
          --kill_after=10mins
  As somebody, with the secret in a file:
      mesos-execute --master=10.0.0.1:5050 --name=hello --command="echo hello" --principal=ops \
          --secret=file:///etc/mesos/secret
  A whole task:
      mesos-execute --master=10.0.0.1:5050 --task='{"name": "fetch", "task_id": {"value": "fetch-1"},
          "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}},
                        {"name": "mem", "type": "SCALAR", "scalar": {"value": 64}}],
          "command": {"value": "./run", "uris": [{"value": "http://10.0.0.9/run.tar.gz"}]}}'

SIGNALS
  SIGINT (Ctrl-C) and SIGTERM kill the task and wait for its end. A second one leaves at once.

EXIT STATUS
  0    the task finished; of a group, every task
  N    the task exited with status N; of a group, the first that did not finish
  128+N  the task was ended by signal N
  1    also: wrong flags, no master, a task that was refused or lost
  130  left by a second Ctrl-C, or before there was a task; 143 by SIGTERM
`
}

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// ParseArgs reads the flags an agent may give: --launcher_dir, which is accepted and not needed here,
// --task_environment, a JSON object of names and values, or the message Environment, and --task_command, the message
// CommandInfo, which stands in for the task's where that leaves to an image what to run. The options lack all else.
func ParseArgs(args []string) (Options, error) {
	var options Options
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "--launcher_dir":
		case "--task_environment":
			task, err := taskEnvironment(value)
			if err != nil {
				return Options{}, fmt.Errorf("--task_environment: %w", err)
			}
			options.Task = task
		case "--task_command":
			command, err := taskCommand(value)
			if err != nil {
				return Options{}, fmt.Errorf("--task_command: %w", err)
			}
			options.Command = command
		default:
			return Options{}, fmt.Errorf("unknown argument %q: want --launcher_dir=PATH, --task_environment=JSON or --task_command=JSON", arg)
		}
	}
	return options, nil
}

func taskEnvironment(text string) (map[string]string, error) {
	var message struct {
		Variables []struct{ Name, Value string } `json:"variables"`
	}
	if err := json.Unmarshal([]byte(text), &message); err == nil && message.Variables != nil {
		values := map[string]string{}
		for _, v := range message.Variables {
			values[v.Name] = v.Value
		}
		return values, nil
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf("want a JSON object of names and values: %w", err)
	}
	return values, nil
}

// taskCommand reads what says the program; the task says all else.
func taskCommand(text string) (*mesosv1.CommandInfo, error) {
	var message struct {
		Shell     bool     `json:"shell"`
		Value     *string  `json:"value"`
		Arguments []string `json:"arguments"`
	}
	if err := json.Unmarshal([]byte(text), &message); err != nil || message.Value == nil {
		return nil, errors.Join(errors.New("want a CommandInfo with a value, as JSON"), err)
	}
	return &mesosv1.CommandInfo{Shell: &message.Shell, Value: message.Value, Arguments: message.Arguments}, nil
}

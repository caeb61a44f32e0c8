package command

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ParseArgs reads the flags an agent may give: --launcher_dir, which is accepted and not needed here, and
// --task_environment, a JSON object of names and values, or the message Environment. The options lack all else.
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
		default:
			return Options{}, fmt.Errorf("unknown argument %q: want --launcher_dir=PATH or --task_environment=JSON", arg)
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

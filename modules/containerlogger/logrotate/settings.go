package logrotate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	"github.com/mesos-modules/mms/facade/stout"
)

// least is the shortest file: a page, as in upstream.
const least = 4 << 10

// settings are those of one container: standard output, then standard error.
type settings [2]setting

type setting struct {
	size     facade.Bytes
	files    int
	compress bool
}

// source is where settings are looked up: by the names of the module's parameters, without
// regard to case.
type source struct {
	called string // what a name is called where it comes from
	value  func(name string) (string, bool)
}

// settings reads the parameters. Unknown are the options that have no effect.
func (p parameters) settings() (settings, []string, error) {
	given := map[string]string{
		"max_stdout_size": p.MaxStdout.String(), "max_stderr_size": p.MaxStderr.String(),
		"logrotate_stdout_options": p.StdoutOptions, "logrotate_stderr_options": p.StderrOptions,
		"max_files": strconv.Itoa(p.MaxFiles), "compression": p.Compression,
	}
	return settings{}.over(source{"parameter %s", func(name string) (string, bool) {
		v, ok := given[name]
		return v, ok
	}})
}

// of returns the settings of a container, which its environment may change.
func (s settings) of(prefix string, config *slave.ContainerConfig) (settings, []string, error) {
	variables := map[string]string{}
	for _, v := range slices.Concat(config.GetTaskInfo().GetCommand().GetEnvironment().GetVariables(), config.GetCommandInfo().GetEnvironment().GetVariables()) {
		if name, ok := strings.CutPrefix(v.GetName(), prefix); ok {
			variables[name] = v.GetValue()
		}
	}
	if len(variables) == 0 {
		return s, nil, nil
	}
	return s.over(source{"variable " + prefix + "%s", func(name string) (string, bool) {
		v, ok := variables[strings.ToUpper(name)]
		return v, ok
	}})
}

// over puts what a source says over the settings. All that is wrong comes in one error.
func (s settings) over(from source) (settings, []string, error) {
	var unknown []string
	var errs []error
	read := func(name string, set func(value string) error) {
		value, ok := from.value(name)
		if !ok {
			return
		}
		if err := set(value); err != nil {
			if strings.HasPrefix(from.called, "variable") {
				name = strings.ToUpper(name)
			}
			errs = append(errs, fmt.Errorf(from.called+": %w", name, err))
		}
	}
	both := func(set func(s *setting, value string) error) func(string) error {
		return func(value string) error {
			if err := set(&s[0], value); err != nil {
				return err
			}
			return set(&s[1], value)
		}
	}
	read("max_files", both((*setting).setFiles))
	read("compression", both((*setting).setCompression))
	for n, stream := range []string{"stdout", "stderr"} {
		one := &s[n]
		read("max_"+stream+"_size", one.setSize)
		read("logrotate_"+stream+"_options", func(text string) error {
			more, err := one.setOptions(text)
			unknown = append(unknown, more...)
			return err
		})
	}
	return s, unknown, errors.Join(errs...)
}

func (s *setting) setSize(text string) error {
	size, err := stout.ParseBytes(text)
	if err == nil && size < least {
		err = fmt.Errorf("%s is less than a page, %v", text, facade.Bytes(least))
	}
	if err == nil && size > 1<<50 {
		err = fmt.Errorf("%s is more than any disk has", text)
	}
	s.size = size
	return err
}

// maxFiles bounds what a rotation has to rename.
const maxFiles = 1000

func (s *setting) setFiles(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxFiles {
		return fmt.Errorf("%q is no number of files: want 0 to %d", text, maxFiles)
	}
	s.files = n
	return nil
}

func (s *setting) setCompression(text string) error {
	switch text {
	case "gzip", "none":
		s.compress = text == "gzip"
		return nil
	default:
		return fmt.Errorf("there is no compression %q; there are gzip and none", text)
	}
}

// meant are options that ask for what is so in any case.
var meant = []string{"missingok", "notifempty", "ifempty", "nocopytruncate", "create", "nodelaycompress", "nodateext", "nomail"}

// setOptions reads options of logrotate. Those that have no effect here are returned.
func (s *setting) setOptions(text string) (unknown []string, err error) {
	var errs []error
	for line := range strings.SplitSeq(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		value := strings.Join(words[1:], " ")
		switch words[0] {
		case "rotate":
			errs = append(errs, s.setFiles(value))
		case "compress", "nocompress":
			s.compress = words[0] == "compress"
		case "size", "maxsize":
			errs = append(errs, s.setSize(bytesOf(value)))
		default:
			if !slices.Contains(meant, words[0]) {
				unknown = append(unknown, strings.TrimSpace(line))
			}
		}
	}
	return unknown, errors.Join(errs...)
}

// bytesOf reads a size of logrotate, whose units are k, M and G, in the notation of Mesos.
func bytesOf(text string) string {
	for unit, ours := range map[string]string{"k": "KB", "M": "MB", "G": "GB"} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			return number + ours
		}
	}
	if _, err := strconv.Atoi(text); err == nil {
		return text + "B"
	}
	return text
}

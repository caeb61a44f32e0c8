package moduletool

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is a flag with a few values, and other spellings of them.
type choice struct {
	value string
	among []string
	also  map[string]string // spelling to value
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.among, "|") }

func (c *choice) Set(value string) error {
	value = cmp.Or(c.also[value], value)
	if !slices.Contains(c.among, value) {
		return errors.New("it is one of " + strings.Join(c.among, ", ") + didYouMean(value, c.among))
	}
	c.value = value
	return nil
}

// flagError makes what pflag says about a flag a sentence, and proposes the
// nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			return misuse("there is no flag -%s", name)
		}
		return misuse("there is no flag --%s%s", name, didYouMean(name, flagNames(cmd)))
	case errors.As(err, &value):
		return misuse("--%s=%s: %v", value.GetFlag().Name, value.GetValue(), value.Unwrap())
	case errors.As(err, &missing):
		return misuse("the flag --%s needs a value", missing.GetFlag().Name)
	default:
		return misuse("%v", err)
	}
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// between wants at least and at most so many arguments; most < 0 sets no limit.
// what names them for people.
func between(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return misuse("name %s", what)
		case most == 0 && len(args) > 0:
			return misuse("%q is too much: the command takes no arguments", args[0])
		case most > 0 && len(args) > most:
			return misuse("%q is too much: name %s", args[most], what)
		default:
			return nil
		}
	}
}

// mustComplete gives a flag its values. It panics for a flag that is not there,
// which is our own mistake.
func mustComplete(cmd *cobra.Command, flag string, values []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

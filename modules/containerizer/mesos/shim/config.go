package shim

// Config is what the shim is to run, and how.
type Config struct {
	// StatusFile is where the command's wait status is written, as a decimal number.
	StatusFile string

	// Before are run one after another, as the shim's own user, before the command.
	// One that fails keeps the command from running.
	Before []Command `json:",omitempty"`

	Command Command

	// Directory is the command's working directory.
	Directory string

	// Root is the command's root folder; empty: the shim's own.
	Root string `json:",omitempty"`

	// User is who the command runs as; nil: as the shim.
	User *User `json:",omitempty"`

	// Limits are the resource limits of the command's process.
	Limits []Limit `json:",omitempty"`

	// NoNewPrivileges keeps the command from gaining privileges by execve.
	NoNewPrivileges bool `json:",omitempty"`

	// Terminal gives the command a terminal; Attachable makes its input and output
	// pipes. Either lets others attach.
	Terminal   bool `json:",omitempty"`
	Attachable bool `json:",omitempty"`

	// Rows and Columns are the terminal's size; 0: unknown.
	Rows, Columns uint16 `json:",omitempty"`

	// AwaitAttach holds the output back until somebody is attached to it.
	AwaitAttach bool `json:",omitempty"`
}

// Command is a program with its arguments and the whole of its environment.
type Command struct {
	// Path is looked for in the PATH of the environment if it has no slash.
	Path        string
	Arguments   []string // with the program's name as the first
	Environment []string // KEY=VALUE
}

// User is a numeric user with all groups.
type User struct {
	UID, GID uint32
	Groups   []uint32 `json:",omitempty"`
}

// Limit is one resource limit, by its number.
type Limit struct {
	Resource   int
	Soft, Hard uint64
}

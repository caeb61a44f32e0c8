package shim

// Config is what the shim is to run, and how.
type Config struct {
	// StatusFile is where the command's wait status is written, as a decimal number.
	StatusFile string

	// Mounts, Operations and Masked are what the container's mount namespace looks
	// like, done in this order before anything else. The shim is in that namespace.
	Mounts     []Mount     `json:",omitempty"`
	Operations []Operation `json:",omitempty"`
	Masked     []Place     `json:",omitempty"`

	// Before are run one after another, as the shim's own user, after that and before
	// the command, in the root folder of the host. One that fails keeps the command
	// from running.
	Before []Command `json:",omitempty"`

	Command Command

	// Directory is the command's working directory.
	Directory string

	// Root is the command's root folder; empty: the shim's own.
	Root string `json:",omitempty"`

	// MountNamespace says that the shim has a mount namespace of its own, whose root
	// becomes Root. Without it, the command's process alone changes its root.
	MountNamespace bool `json:",omitempty"`

	// EnterMounts has the command's process enter the mount namespace that the shim
	// has inherited as the file MountsFile. EnterRoot is what the host calls the root of
	// that namespace: as long as it can be seen there, the root has not changed.
	EnterMounts bool   `json:",omitempty"`
	EnterRoot   string `json:",omitempty"`

	// User is who the command runs as; nil: as the shim.
	User *User `json:",omitempty"`

	// Limits are the resource limits of the command's process.
	Limits []Limit `json:",omitempty"`

	// Capabilities are those of the command; nil: those that the user has.
	Capabilities *Capabilities `json:",omitempty"`

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

// Capabilities are sets of capabilities as bits, by the numbers of Linux; nil: as they
// are.
type Capabilities struct {
	Effective, Bounding *uint64 `json:",omitempty"`
}

// Place is a file or folder. With a Base, Path is looked for as if Base were the root:
// neither .. nor a link leads out of it, whoever lays them.
type Place struct {
	Base string `json:",omitempty"`
	Path string
}

// Mount is one mount. What is missing of a target with a base is made, down to an empty
// folder, or an empty file for a file.
type Mount struct {
	Target  Place
	Source  Place  // of a bind mount
	Type    string `json:",omitempty"` // of a file system, and Device and Options with it
	Device  string `json:",omitempty"`
	Options string `json:",omitempty"`
	Flags   uint   // MS_*
}

// The operations on files.
const (
	Symlink = "symlink" // at Target, which leads to Text
	Rename  = "rename"  // of Source to Target
	Mkdir   = "mkdir"   // of Target, and with All of what is above it
	Bind    = "mount"   // of Mount
)

// Operation is something done to files in the container's mount namespace.
type Operation struct {
	Do     string
	Target Place
	Source Place  `json:",omitzero"`
	Text   string `json:",omitempty"`
	All    bool   `json:",omitempty"`
	Mount  *Mount `json:",omitempty"`
}

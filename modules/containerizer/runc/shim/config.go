package shim

import frames "github.com/mesos-modules/mms/modules/containerizer/mesos/shim"

// What is said besides the frames of the Mesos containerizer's shim.
const (
	// Create carries the Config, as JSON.
	Create frames.Kind = iota + 100
	// Created carries the id of the container's first process, as a decimal number.
	Created
	// Failed carries why there is none, as text.
	Failed
)

// Files in the container's folder that shim and agent share.
const (
	ConfigFile  = "config.json"  // the container, for the runtime
	ProcessFile = "process.json" // the process of a container of the class DEBUG
	PidFile     = "init.pid"     // the first process; the runtime writes it
	OutOfMemory = "oom"          // is there if it was ended because it used too much memory

	// Lower is a link to the files of the image, Upper and Work are what the container
	// changes.
	Lower, Upper, Work = "lower", "upper", "work"
)

// Config is what the shim is to hold.
type Config struct {
	Folder     string // of the container: the bundle, and where the files above are
	StatusFile string // where the command's wait status is written, as a decimal number

	Runtime string // the program
	State   string // the folder in which it keeps its state
	ID      string // of the container in whose namespaces the process is to be

	// Debug says that the container is there already, and only a process is wanted.
	Debug bool `json:",omitempty"`

	// Overlay mounts the image's files; else the container sees the host's.
	Overlay bool `json:",omitempty"`

	// Program is the first of the command's arguments.
	Program string

	Terminal      bool `json:",omitempty"`
	Rows, Columns uint16
}

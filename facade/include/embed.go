// Package include holds the headers that module authors in C and C++ compile against: mesos/module.h, which is the ABI,
// mesos/module.hpp and one header per role over it, and forwarding headers where upstream's modules look for them.
//
// The headers of the roles are generated from the roles' Go interfaces.
package include

import "embed"

// Files is the tree to put on a compiler's include path.
//
//go:embed *.hpp mesos
var Files embed.FS

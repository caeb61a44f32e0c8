package facade

const (
	// MMSVersion is the version of the module management system: what a
	// library and a daemon shake hands on. It is bumped when that handshake
	// changes, and at no other time.
	MMSVersion = 1

	// MesosVersion is the release this facade belongs to. It is baked into
	// every library that is compiled with it. Always plain major.minor.patch.
	MesosVersion = "1.12.0"
)

// Package image reads what the dynamic loader would see of an ELF shared
// library, from the file's bytes: nothing of the library runs. Everything comes
// from the program headers and the dynamic section, as the loader itself takes
// it, so that stripped files and files without a section table read the same.
//
// The bytes are not trusted. Every length is checked against the file before
// memory is taken for it, and every walk has an end.
package image

import "fmt"

// Fault is why a file is no shared library that could be opened here.
type Fault struct {
	Problem string
	Mend    string
}

func (f *Fault) Error() string { return f.Problem }

func fault(mend, format string, args ...any) error {
	return &Fault{Problem: fmt.Sprintf(format, args...), Mend: mend}
}

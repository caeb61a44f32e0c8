package main

import (
	"cmp"
	"go/token"
	"go/types"
	"slices"

	"github.com/mesos-modules/mms/roles"
)

// row is what the generator needs of a row of the table.
type row struct {
	Name, Version string
	Native        bool
	Package, Type string // where the interface is
}

// rowsOf returns the rows that have an interface, sorted by name.
func rowsOf(table []roles.Role) []row {
	var rows []row
	for _, r := range table {
		if r.Type != nil {
			rows = append(rows, row{Name: r.Name, Version: r.Version, Native: r.Native, Package: r.Type.PkgPath(), Type: r.Type.Name()})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// contract is a role's interface, read.
type contract struct {
	row
	Go      *types.Package
	Doc     []string // the contract, as it stands on the interface, by lines
	Methods []method
}

// method is one method, in the order of the source: the order of the role's table in C.
type method struct {
	Name    string
	Doc     []string
	At      token.Position
	Params  []value // after the context
	Results []value // before the error
	Since   string  // empty: from the start
	Default string  // Go expressions, one per result, separated by commas; empty: zero values
	Lasting bool    // the context goes on when the call has returned, as it does where a parameter is a function
}

// value is a parameter or result.
type value struct {
	Name     string // never empty
	Type     types.Type
	Optional bool // a message that may be nil
}

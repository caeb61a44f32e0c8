// Package moduletest is the test kit for module authors.
package moduletest

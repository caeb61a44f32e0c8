// Package policy holds the rules of the repository as tests: the walls between its
// packages, the packages that the daemons link, and what every file has to have.
package policy

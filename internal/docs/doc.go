// Package docs keeps README.md and the folder docs true. It writes docs/rules.md
// from the table of rules and docs/modules/README.md from the list of modules, and its
// test goes through every page: programs are compiled, sessions are run and their
// output is compared, manifests are read, flags, names, links and anchors are looked
// up. Every role and every module that ships has a page, whole and true; the modules in
// the pages of roles are built and tested.
//
// What is behind the language of a fenced block says what the block is:
//
//	any           from=PATH   lines that stand so in a file of the repository that is compiled or tested
//	go, cpp, c    file=PATH   a whole file, written below the page's folder and compiled
//	json                      a manifest; with "refused" one that is not accepted, with file=PATH
//	                          one that sessions use; with "document" JSON that is no manifest
//	sh                        commands whose programs, subcommands and flags are looked up
//	              script      a program for the shell
//	console                   a session that is run: "$ " begins a command, "^C" stops the
//	                          daemon, "..." stands for any lines
//	text          drawing     a picture
//
// A daemon in a session runs in the background until a ^C, of several the one that
// was started last, and gets a free port; curl and other programs find it under its
// usual one. Times, versions of compilers, paths of the machine and how many modules a
// daemon has count for nothing. To write what sessions print into the pages:
//
//	go test ./internal/docs -update
package docs

//go:generate go run github.com/mesos-modules/mms/internal/docs/write

// Package spec says in the words of the OCI runtime what agent, isolators and image want
// of a container. It reads messages and a few links in the sandbox, and changes nothing.
package spec

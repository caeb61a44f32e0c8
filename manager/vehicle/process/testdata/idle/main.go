// Command idle is a Go program that serves no library.
package main

func main() {}

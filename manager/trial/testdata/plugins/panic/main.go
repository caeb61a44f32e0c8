package main

var Library int

func init() {
	var table map[string]int
	table["x"] = 1
}

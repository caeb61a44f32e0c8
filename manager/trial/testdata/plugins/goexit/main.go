package main

import "runtime"

var Library int

func init() { runtime.Goexit() }

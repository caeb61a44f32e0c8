package main

import "C"

//export answer
func answer() int32 { return 42 }

func main() {}

// Command nolibrary is a Go plugin that is no module library.
package main

import _ "github.com/mesos-modules/mms/facade"

var Other = 1

func main() {}

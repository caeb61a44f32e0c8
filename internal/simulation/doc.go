// Package simulation runs the cores of a master and of agents against a world that is
// made up: its clock jumps, its network delays, breaks and parts, its processes crash
// between any two effects, and all of it follows from one number, the seed. Frameworks
// run tasks the whole time. When the trouble is over, every task has to have come to
// an end that its framework knows, and nobody's books may have anything left in them.
//
// The cores are those of the daemons; what surrounds them there, from sockets to
// modules, is played here in one goroutine. What a seed does it does every time, so a
// failure is replayed by its number:
//
//	go test ./internal/simulation -run TestSeeds -seed=17 -v
package simulation

// Package clusterfaults has no code but its tests: what a cluster of real daemons does
// when it is told nonsense, when those it talks to are slow or never end, when disks are
// full, and when any of its processes is killed at any point of a task's life.
package clusterfaults

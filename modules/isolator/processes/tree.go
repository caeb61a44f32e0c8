package processes

// Tree returns a process and all its descendants, parents before their children.
// Processes come and go while it looks.
func Tree(pid int32) []int {
	all := []int{int(pid)}
	for next := 0; next < len(all); next++ {
		all = append(all, children(all[next])...)
	}
	return all
}

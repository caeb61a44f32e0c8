package sorter

import (
	"fmt"
	"testing"
)

// BenchmarkSort measures what a run asks for with each offer: the order after one client
// got something.
func BenchmarkSort(b *testing.B) {
	for _, depth := range []string{"flat", "three deep"} {
		for _, clients := range []int{100, 1000, 6000} {
			b.Run(fmt.Sprintf("%s/clients=%d", depth, clients), func(b *testing.B) {
				totals := NewTotals(nil)
				totals.Add(q(b, "cpus:1000000;mem:1000000;disk:1000000"))
				s := NewDRF[int](totals, false)
				var all []*Client[int]
				for i := range clients {
					path := fmt.Sprintf("client-%04d", i)
					if depth != "flat" {
						path = fmt.Sprintf("a%d/b%d/%s", i%10, i/10%10, path)
					}
					all = append(all, s.Add(path, i))
					s.Activate(all[i])
				}
				amount := q(b, "cpus:1;mem:10;disk:3")
				b.ReportAllocs()
				for b.Loop() {
					s.Allocated(all[s.Sort()[0]], amount)
				}
			})
		}
	}
}

package sorter_test

import (
	"fmt"

	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical/sorter"
)

// Of two roles, the one with twice the weight may have twice the share.
func Example() {
	amount := func(text string) resources.Quantities {
		q, _ := resources.ParseQuantities(text)
		return q
	}
	totals := sorter.NewTotals(nil)
	totals.Add(amount("cpus:100;mem:100"))

	s := sorter.NewDRF[string](totals, false)
	s.SetWeight("web", 2)
	batch, web := s.Add("batch", "batch"), s.Add("web", "web")
	s.Activate(batch)
	s.Activate(web)

	s.Allocated(batch, amount("cpus:10;mem:30"))
	s.Allocated(web, amount("cpus:50;mem:10"))
	fmt.Println(s.Sort(), s.Share(web))
	// Output: [web batch] 0.5
}

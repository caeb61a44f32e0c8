package resources_test

import (
	"fmt"

	"github.com/mesos-modules/mms/internal/resources"
)

// What is left of an agent when a task has its share.
func Example() {
	total, err := resources.Parse("cpus:4;mem:1024;ports:[31000-32000];disk(web):100", "*")
	if err != nil {
		panic(err)
	}
	task, err := resources.Parse("cpus:0.1;mem:32;ports:[31005-31005]", "*")
	if err != nil {
		panic(err)
	}
	fmt.Println(total.Contains(task))
	fmt.Println(total.Sub(task))
	// Output:
	// true
	// cpus:3.9; mem:992; ports:[31000-31004, 31006-32000]; disk(reservations: [(STATIC,web)]):100
}

// All that is wrong with a text is said at once.
func ExampleParse() {
	_, err := resources.Parse("cpus:many;ports:[5-1];mem", "*")
	fmt.Println(err)
	// Output:
	// resource "cpus:many": "many" is no number, no [ranges] and no {set}
	// resource "ports:[5-1]": range 5-1 ends before it begins
	// resource "mem": missing or extra ':'; the form is name:value or name(role):value
}

// What a role may be offered.
func ExampleResources_AllocatableTo() {
	agent, _ := resources.Parse("cpus:4;mem(eng):10;mem(eng/web):20;mem(ops):30", "*")
	fmt.Println(agent.AllocatableTo("eng/web").Allocate("eng/web").ScalarQuantities())
	// Output: cpus:4; mem:30
}

// A framework that knows nothing of refined reservations is sent the old shape.
func ExampleResources_MessagesIn() {
	r, _ := resources.Parse("cpus(web):4", "*")
	old, _ := r.MessagesIn(resources.Pre)
	fmt.Println(old[0].GetRole(), len(old[0].GetReservations()))
	// Output: web 0
}

// Any of several minimums is enough for an offer.
func ExampleResources_ContainsQuantities() {
	offer, _ := resources.Parse("cpus:0.5;mem:16;ports:[1-100]", "*")
	for _, minimum := range []string{"cpus:0.01", "mem:32", "ports:100"} {
		q, _ := resources.ParseQuantities(minimum)
		fmt.Println(q, offer.ContainsQuantities(q))
	}
	// Output:
	// cpus:0.01 true
	// mem:32 false
	// ports:100 true
}

// What a role may still have under its limits.
func ExampleLimits_Sub() {
	limits, _ := resources.ParseLimits("cpus:10;gpus:0")
	used, _ := resources.ParseQuantities("cpus:4;mem:512")
	rest := limits.Sub(used)
	offer, _ := resources.Parse("cpus:24;mem:4096;gpus:2", "*")
	fmt.Println(rest)
	fmt.Println(offer.ShrinkToLimits(rest))
	// Output:
	// cpus:6; gpus:0
	// cpus:6; mem:4096
}

func ExampleParseAttributes() {
	attributes, _ := resources.ParseAttributes("rack:r7;url:http://host:80;size:2")
	for _, f := range resources.AttributeFields(attributes) {
		fmt.Println(f.Name, f.Text, f.Number)
	}
	// Output:
	// rack r7 0
	// url http://host:80 0
	// size  2
}

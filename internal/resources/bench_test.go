package resources

import (
	"fmt"
	"strings"
	"testing"
)

// The agent of the allocator's benchmarks, and one whose ports are in pieces.
var agents = []struct{ name, total, part string }{
	{"plain", "cpus:24;mem:4096;disk:4096;ports:[31000-32000]", "cpus:1;mem:128;disk:128;ports:[31005-31006]"},
	{"fragmented", "cpus:24;mem:4096;disk:4096;ports:[" + pieces(16) + "]", "cpus:1;mem:128;disk:128;ports:[31012-31012]"},
	{"reserved", "cpus(a):24;cpus(b):8;cpus:2;mem(a):4096;mem:64;disk(a/b):4096;ports:[31000-32000]", "cpus(b):1;mem(a):128;disk(a/b):1"},
}

func pieces(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%d-%d", 31000+i*4, 31000+i*4+1))
	}
	return strings.Join(all, ",")
}

var (
	sinkResources  Resources
	sinkQuantities Quantities
	sinkBool       bool
)

func BenchmarkArithmetic(b *testing.B) {
	for _, a := range agents {
		total, part := parse(b, a.total), parse(b, a.part)
		elsewhere := parse(b, a.part) // the same of another agent: no identity in common
		ofTotal := total.Sub(part)    // calculated from it: all identities in common
		same := parse(b, a.total)     // equal, without any memory in common
		quantities := part.Quantities()
		b.Run(a.name, func(b *testing.B) {
			b.Run("add", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkResources = ofTotal.Add(elsewhere)
				}
			})
			b.Run("sub", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkResources = total.Sub(elsewhere)
				}
			})
			b.Run("contains/part", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkBool = total.Contains(elsewhere)
				}
			})
			b.Run("contains/derived", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkBool = total.Contains(ofTotal)
				}
			})
			b.Run("contains/equal", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkBool = total.Contains(same)
				}
			})
			b.Run("contains/itself", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkBool = total.Contains(total)
				}
			})
			b.Run("contains/quantities", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkBool = total.ContainsQuantities(quantities)
				}
			})
			b.Run("allocate", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkResources = total.Allocate("web")
				}
			})
			b.Run("quantities", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sinkQuantities = total.ScalarQuantities()
				}
			})
		})
	}
}

func BenchmarkQuantities(b *testing.B) {
	all, part := quantities(b, "cpus:24;disk:4096;mem:4096"), quantities(b, "cpus:1;mem:128")
	b.Run("add", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkQuantities = all.Add(part)
		}
	})
	b.Run("sub", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkQuantities = all.Sub(part)
		}
	})
	b.Run("contains", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkBool = all.Contains(part)
		}
	})
}

func BenchmarkMessages(b *testing.B) {
	for _, a := range agents {
		total := parse(b, a.total)
		messages := total.Messages()
		b.Run("from/"+a.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkResources, _ = New(messages)
			}
		})
		b.Run("to/"+a.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = total.Messages()
			}
		})
	}
}

package trial_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/mesos-modules/mms/manager/trial"
)

// BenchmarkRun opens native libraries in one child.
func BenchmarkRun(b *testing.B) {
	content, err := os.ReadFile(library(b, "").File.Path)
	if err != nil {
		b.Fatal(err)
	}
	for _, count := range []int{1, 100} {
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			var requests []trial.Request
			for i := range count {
				path := filepath.Join(b.TempDir(), strconv.Itoa(i)+".so")
				if err := os.WriteFile(path, content, 0o644); err != nil {
					b.Fatal(err)
				}
				requests = append(requests, native1(b, path))
			}
			for b.Loop() {
				verdicts, err := trial.Run(b.Context(), requests, trial.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, v := range verdicts {
					if v.Err != nil {
						b.Fatal(v.Err)
					}
				}
			}
		})
	}
}

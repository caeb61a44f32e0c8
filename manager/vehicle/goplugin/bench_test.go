package goplugin_test

import (
	"os"
	"testing"

	"github.com/mesos-modules/mms/internal/pluginbuild/plugintest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
)

// BenchmarkRecognise reads one plugin: build info and fingerprints.
func BenchmarkRecognise(b *testing.B) {
	s := newShop(b)
	daemon := s.Host("host", "")
	plugin := s.plugin("good", plugintest.Calc("main", ""))
	v := goplugin.New(daemon)
	info, err := os.Stat(plugin)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, ok, err := v.Recognise(vehicle.File{Path: plugin}); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

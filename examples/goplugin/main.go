// Command goplugin is a Go plugin with three modules, built by hand: a package main
// with an exported Library. It loads in daemons that were built from the same
// sources in the same way:
//
//	go build -buildmode=plugin -o libgoplugin.so ./examples/goplugin
//
// A module that lives elsewhere is an importable package with a Library, and
// mesos-module build makes the plugin.
package main

import (
	"context"
	"fmt"
	"math"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
)

// Library is what a daemon looks for.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: multiplierName, Version: "1.1.0",
		Description: "Multiplies two numbers, and a factor.",
		Parameters:  facade.SchemaOf[settings](),
		New:         newMultiplier,
	},
	facade.Module[anonymous.Anonymous]{
		Name: "org_example_probe", Version: "1.0.0",
		Description: "Asks the multiplier once, when all modules are bound.",
		Requires:    []facade.Requirement{{Module: multiplierName, Version: ">=1.0 <2"}},
		New:         newProbe,
	},
	facade.Module[hook.Hook]{
		Name: "org_example_decorator", Version: "1.0.0",
		Description: "Puts a greeting into the environment of executors.",
		Parameters:  facade.SchemaOf[decoration](),
		New:         newDecorator,
	},
}}

const multiplierName = "org_example_multiplier"

// settings are the parameters of the multiplier.
type settings struct {
	Factor int64 `mms:"factor" default:"1" doc:"what every product is multiplied by"`
}

func newMultiplier(_ context.Context, _ facade.Host, p facade.Parameters) (calculator.Calculator, error) {
	s, err := facade.Decode[settings](p)
	if err != nil {
		return nil, err
	}
	return multiplier{s.Factor}, nil
}

type multiplier struct{ factor int64 }

func (m multiplier) Compute(_ context.Context, a byte, b int64) (int32, error) {
	product := float64(a) * float64(b) * float64(m.factor)
	if math.Abs(product) > math.MaxInt32 {
		return 0, fmt.Errorf("%d * %d * %d does not fit into 32 bits", a, b, m.factor)
	}
	return int32(product), nil
}

func newProbe(_ context.Context, host facade.Host, _ facade.Parameters) (anonymous.Anonymous, error) {
	asked, err := facade.Required[calculator.Calculator](host, multiplierName)
	if err != nil {
		return nil, err
	}
	return &probe{host: host, asked: asked}, nil
}

// probe shows what a module gets: a required module, the log, measures, the
// daemon's lifetime.
type probe struct {
	host  facade.Host
	asked calculator.Calculator
}

func (p *probe) Run(ctx context.Context) error {
	product, err := p.asked.Compute(ctx, 6, 7)
	if err != nil {
		return err
	}
	p.host.Metrics().Gauge("probe_product", "What the multiplier made of 6 and 7.").Set(float64(product))
	p.host.Logger().Info("the multiplier answers", "product", product)
	<-ctx.Done()
	return nil
}

func main() {} // package main has to have it; a plugin's is never called

// Package sample is a library whose modules do what tests want to see.
package sample

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// Library returns the library that a program of that name has.
func Library(name string) facade.Library {
	all := facade.Library{Modules: []facade.Declared{
		facade.Module[calculator.Calculator]{
			Name: "org_example_calculator", Version: "1.2.0", Parameters: facade.SchemaOf[config](),
			Compatible: compatible, New: newCalculator,
		},
		facade.Module[calculator.Calculator]{
			Name: "org_example_forwarder", Requires: []facade.Requirement{{Module: "org_example_calculator"}, {Role: "Calculator"}}, New: newForwarder,
		},
		facade.Module[calculator.Calculator]{Name: "org_example_guest", New: newGuest},
		facade.Module[masterdetector.MasterDetector]{Name: "org_example_detector", New: newDetector},
		facade.Module[masterdetector.MasterDetector]{
			Name: "org_example_relay", Requires: []facade.Requirement{{Module: "org_example_detector"}}, New: newRelay,
		},
	}}
	if name == "huge" {
		for i := range 2500 {
			all.Modules = append(all.Modules, facade.Module[calculator.Calculator]{
				Name: fmt.Sprint("org_example_", i), Description: strings.Repeat("x", 4000), New: newCalculator,
			})
		}
	}
	if name == "fickle" {
		all.Modules = append(all.Modules, facade.Module[calculator.Calculator]{Name: fmt.Sprint("org_example_", os.Getpid()), New: newCalculator})
	}
	return all
}

type config struct {
	At   string `mms:"at" default:"call"` // new, call or close
	Does string `mms:"does"`
	File string `mms:"file"` // written when it is done, or begins to wait
}

func compatible(ctx context.Context, view facade.View) error {
	if what, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "compatible-"); ok {
		return do(ctx, config{Does: what})
	}
	if view.MesosVersion() == "0.1.0" {
		return fmt.Errorf("too old, with %d modules: %w", len(view.Modules()), errors.ErrUnsupported)
	}
	return nil
}

type calc struct{ config }

func newCalculator(ctx context.Context, _ facade.Host, p facade.Parameters) (calculator.Calculator, error) {
	c, err := facade.Decode[config](p)
	if err == nil && c.At == "new" {
		err = do(ctx, c)
	}
	return &calc{c}, err
}

func (c *calc) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	if c.At == "call" {
		if err := do(ctx, c.config); err != nil {
			return 0, err
		}
	}
	return int32(a) + int32(b), nil
}

func (c *calc) Close(ctx context.Context) error {
	defer tell(c.File, "closed")
	if c.At == "close" {
		return do(ctx, c.config)
	}
	return nil
}

func tell(file, text string) {
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	if _, err := f.WriteString(text + "\n"); err != nil {
		panic(err)
	}
	_ = f.Close()
}

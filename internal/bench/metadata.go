package main

import (
	"context"
	"debug/elf"
	"fmt"
	"testing"

	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/native"
)

func measureMetadata(ctx context.Context, b *bench) error {
	for _, language := range languages() {
		paths, err := b.shop.copies(ctx, language)
		if err != nil {
			return err
		}
		figures, err := b.meter.interleave(
			subject{name: "ours", run: recognise(paths[0])},
			subject{name: "debug/elf: open, list dynamic symbols", run: listSymbols(paths[0])},
			subject{name: "ours, with the file's digest", run: lookAndRecognise(paths[0])},
		)
		if err != nil {
			return err
		}
		b.add(line{what: "recognise and read a library in " + language.name, ours: figures[0], theirs: figures[1], target: "under 1 ms", limit: 1e6})
		b.add(line{what: "… with the look at the file, SHA-256 included", ours: figures[2], theirs: figures[1], target: "under 1 ms", limit: 1e6})
	}
	return nil
}

// recognise has one vehicle, as a daemon has: what it learns about the system's libraries it keeps.
func recognise(path string) func(*testing.B) error {
	return func(b *testing.B) error {
		f, err := file.Look(path, file.Options{})
		if err != nil {
			return err
		}
		v := native.New()
		for b.Loop() {
			if d, _, err := v.Recognise(f); err != nil || len(d.Modules) != 1 {
				return fmt.Errorf("%d modules: %w", len(d.Modules), err)
			}
		}
		return nil
	}
}

func lookAndRecognise(path string) func(*testing.B) error {
	return func(b *testing.B) error {
		v := native.New()
		for b.Loop() {
			f, err := file.Look(path, file.Options{})
			if err != nil {
				return err
			}
			if _, _, err := v.Recognise(f); err != nil {
				return err
			}
		}
		return nil
	}
}

func listSymbols(path string) func(*testing.B) error {
	return func(b *testing.B) error {
		for b.Loop() {
			f, err := elf.Open(path)
			if err != nil {
				return err
			}
			if _, err := f.DynamicSymbols(); err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
		return nil
	}
}

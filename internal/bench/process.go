package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// measureProcess measures what carries calls to the process of a library.
func measureProcess(ctx context.Context, b *bench) error {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"8 bytes", 8}, {"1 MiB", 1 << 20}} {
		figures, err := echoes(ctx, b.meter, size.bytes)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("%s to another process and back", size.name)
		for i, f := range figures[1:] {
			l := line{what: what, ours: figures[0], theirs: f, target: "reported"}
			switch name := carriers()[i+1].name; {
			case name == "go-plugin, gRPC" && size.bytes == 8:
				l.target, l.under = "at most a third", 1./3
			case name == "go-plugin, gRPC":
				l.target, l.under = "at least its throughput", 1
			case name == "unix socket ping-pong" && size.bytes == 8:
				l.target, l.under = "at most 3 times", 3
			}
			b.add(l)
			what = "…"
		}
	}
	return nil
}

// echoes measures all carriers in turns; each has one process for all of its rounds.
func echoes(ctx context.Context, m meter, size int) (figures []figure, err error) {
	message := make([]byte, size)
	var subjects []subject
	for _, c := range carriers() {
		e, starting := c.start(ctx)
		if starting != nil {
			return nil, fmt.Errorf("%s: %w", c.name, starting)
		}
		defer func() { err = errors.Join(err, e.close()) }()
		subjects = append(subjects, subject{name: c.name, run: func(t *testing.B) error {
			for t.Loop() {
				answer, err := e.echo(message)
				if err != nil {
					return err
				}
				if len(answer) != size {
					return fmt.Errorf("%d bytes came back", len(answer))
				}
			}
			return nil
		}})
	}
	return m.interleave(subjects...)
}

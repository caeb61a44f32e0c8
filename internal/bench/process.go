package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

const (
	smallMessage = 8
	largeMessage = 1 << 20
)

// measureProcess measures libraries in processes of their own: calls, starts, ends.
func measureProcess(ctx context.Context, b *bench) error {
	program, err := b.shop.module(ctx)
	if err != nil {
		return err
	}
	if err := measureCalls(ctx, b, program); err != nil {
		return err
	}
	if err := measureStarts(ctx, b, program); err != nil {
		return err
	}
	return measureFleet(ctx, b, program)
}

// measureCalls measures calls of modules in a process beside the carriers, which echo bytes.
func measureCalls(ctx context.Context, b *bench, program string) (err error) {
	m, err := isolated(ctx, manifest.Library{File: program, Modules: []manifest.Module{{Name: copyName(0)}, {Name: echoName}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	adder, stop, err := manager.LoadModule[calculator.Calculator](ctx, m, copyName(0))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(ctx)) }()
	resolver, stop, err := manager.LoadModule[secretresolver.SecretResolver](ctx, m, echoName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(ctx)) }()

	if err := b.beside(ctx, smallMessage, subject{name: "call of a Calculator in a process", run: calls(adder)}, "call of a module in a process"); err != nil {
		return err
	}
	return b.beside(ctx, largeMessage, subject{name: "1 MiB to a SecretResolver in a process and back", run: resolves(resolver)}, "1 MiB to a module in a process and back")
}

func resolves(resolver secretresolver.SecretResolver) func(*testing.B) error {
	value := mesosv1.Secret_VALUE
	secret := &mesosv1.Secret{Type: &value, Value: &mesosv1.Secret_Value{Data: make([]byte, largeMessage)}}
	return func(b *testing.B) error {
		for b.Loop() {
			answer, err := resolver.Resolve(b.Context(), secret)
			if err != nil {
				return err
			}
			if len(answer.GetData()) != largeMessage {
				return fmt.Errorf("%d bytes came back", len(answer.GetData()))
			}
		}
		return nil
	}
}

// beside measures a call of a module and the carriers in turns, and adds the lines.
func (b *bench) beside(ctx context.Context, size int, ours subject, what string) error {
	figures, err := echoes(ctx, b.meter, size, ours)
	if err != nil {
		return err
	}
	module, carried := figures[0], figures[1:]
	for i, c := range carriers() {
		l := line{what: what, ours: module, theirs: carried[i], target: "reported"}
		switch {
		case c.name == ping && size == smallMessage:
			l.target, l.under = "at most 3 times", 3
		case c.name == goPlugin && size == smallMessage:
			l.target, l.under = "at most a third", 1./3
		case c.name == goPlugin:
			l.target, l.under = "at least its throughput", 1
		}
		b.add(l)
		what = "…"
	}
	return nil
}

// echoes measures the subject and all carriers in turns; each has one process for all of its rounds.
func echoes(ctx context.Context, m meter, size int, subjects ...subject) (figures []figure, err error) {
	for _, c := range carriers() {
		e, starting := c.start(ctx)
		if starting != nil {
			return nil, fmt.Errorf("%s: %w", c.name, starting)
		}
		defer func() { err = errors.Join(err, e.close()) }()
		subjects = append(subjects, subject{name: c.name, run: e.run(size)})
	}
	return m.interleave(subjects...)
}

func (e echoer) run(size int) func(*testing.B) error {
	message := make([]byte, size)
	return func(b *testing.B) error {
		for b.Loop() {
			answer, err := e.echo(message)
			if err != nil {
				return err
			}
			if len(answer) != size {
				return fmt.Errorf("%d bytes came back", len(answer))
			}
		}
		return nil
	}
}

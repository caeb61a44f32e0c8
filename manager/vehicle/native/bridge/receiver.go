package bridge

/*
#include "receiver.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receivers are what the sinks that an object was given have become in C, where any
// thread may call them at any time: what they are given lies in a queue until a
// goroutine hands it on. There is one queue, and one goroutine, for all receivers of
// an object, from the first of them until end.
type receivers struct {
	role string

	mu    sync.Mutex
	queue C.uintptr_t // 0 before the first
	wake  *os.File
	open  map[uint64]*receiver
	ended bool
	fault func(error) // may be nil
}

// receiver is one sink.
type receiver struct {
	ctx    context.Context
	method string
	take   func([]byte) error
	stop   func() bool
}

// receive opens a receiver that is open until ctx ends, shut is called, or the object
// ends. Take is called with one element at a time, which is C's memory.
func (r *receivers) receive(ctx context.Context, method string, take func([]byte) error) (C.mms_receiver_id, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || ctx.Err() != nil {
		return C.mms_receiver_id{}, nil // one that is shut
	}
	if err := r.begin(); err != nil {
		return C.mms_receiver_id{}, fmt.Errorf("%s.%s: make a receiver: %w", r.role, method, err)
	}
	id := C.mms_receiver_id{queue: r.queue, id: C.mms_queue_open(r.queue)}
	if id.id == 0 {
		return id, fmt.Errorf("%s.%s: make a receiver: out of memory", r.role, method)
	}
	one := &receiver{ctx: ctx, method: method, take: take}
	one.stop = context.AfterFunc(ctx, func() { r.shut(id) })
	r.open[uint64(id.id)] = one
	return id, nil
}

// begin makes the queue. The lock is held.
func (r *receivers) begin() error {
	if r.queue != 0 {
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return err
	}
	wake := os.NewFile(uintptr(fd), "receivers of a module")
	queue := C.mms_queue_new(C.int(fd))
	if queue == 0 {
		return errors.Join(errors.New("out of memory"), wake.Close())
	}
	r.queue, r.wake, r.open = queue, wake, map[uint64]*receiver{}
	go r.forward(queue, wake)
	return nil
}

// shut closes a receiver: what was not handed on yet is dropped.
func (r *receivers) shut(id C.mms_receiver_id) {
	if id.id == 0 {
		return
	}
	r.mu.Lock()
	one := r.open[uint64(id.id)]
	delete(r.open, uint64(id.id))
	r.mu.Unlock()
	if one != nil {
		one.stop()
		C.mms_queue_shut(id.queue, id.id)
	}
}

// forward hands on what comes until the queue ends.
func (r *receivers) forward(queue C.uintptr_t, wake *os.File) {
	for counter := make([]byte, 8); ; {
		if _, err := wake.Read(counter); err != nil {
			return // it was closed
		}
		for sent := C.mms_queue_take(queue); sent != nil; {
			r.handOn(uint64(sent.id), unsafe.Slice((*byte)(C.mms_sent_data(sent)), int(sent.size)))
			next := sent.next
			C.free(unsafe.Pointer(sent))
			sent = next
		}
	}
}

func (r *receivers) handOn(id uint64, data []byte) {
	r.mu.Lock()
	one, fault := r.open[id], r.fault
	r.mu.Unlock()
	if one == nil || one.ctx.Err() != nil {
		return
	}
	if err := one.take(data); err != nil && fault != nil {
		fault(fmt.Errorf("%s.%s: the module said later what cannot be used: %w", r.role, one.method, err))
	}
}

func (r *receivers) report(fault func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = fault
}

// end shuts all receivers. What the module hands over from now on is refused.
func (r *receivers) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	for _, one := range r.open {
		one.stop()
	}
	r.open = nil
	if r.queue != 0 {
		C.mms_queue_end(r.queue)
		_ = r.wake.Close() // nothing was written that could be lost
	}
}

// taker makes a sink of Go one of bytes.
func taker[T any](sink func(T), convert func([]byte) (T, error)) func([]byte) error {
	return func(data []byte) error {
		value, err := convert(data)
		if err != nil {
			return err
		}
		sink(value)
		return nil
	}
}

// Report names who is told of what an object does wrong outside of any call: what it
// gives to a sink that is no message, for one. Fault may be called from any
// goroutine.
func Report(instance any, fault func(error)) {
	if x, ok := instance.(interface{ report(func(error)) }); ok {
		x.report(fault)
	}
}

// End closes the sinks that an object was given. It is called when the object has
// been destroyed; what its module gives to one of them afterwards is refused.
func End(instance any) {
	if x, ok := instance.(interface{ end() }); ok {
		x.end()
	}
}

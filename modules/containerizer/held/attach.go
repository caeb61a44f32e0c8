package held

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

var errEnded = errors.New("the container has ended")

// attachable is an error for a container whose input and output nobody can attach to.
func (c *Container) attachable() error {
	if c.Config.GetContainerInfo().GetTtyInfo() == nil && !c.IsDebug() {
		return fmt.Errorf("container %s has no I/O server: it has no terminal and is not of the class DEBUG", Key(c.ID))
	}
	return nil
}

// AttachInput hands on one record; see the role Containerizer.
func (c *Container) AttachInput(ctx context.Context, record *agent.ProcessIO) error {
	if err := c.attachable(); err != nil {
		return err
	}
	kind, data, err := inputOf(record)
	if err != nil || kind == 0 {
		return err
	}
	conn, err := c.inputConnection()
	if err != nil {
		return fmt.Errorf("attach to the input of container %s: %w", Key(c.ID), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	return c.UnlessEnded(shim.Write(conn, kind, data))
}

// inputOf reads a record; kind 0 is one that changes nothing.
func inputOf(record *agent.ProcessIO) (shim.Kind, []byte, error) {
	switch record.GetType() {
	case agent.ProcessIO_DATA:
		if record.GetData().GetType() != agent.ProcessIO_Data_STDIN {
			return 0, nil, fmt.Errorf("input is of type STDIN, not %v", record.GetData().GetType())
		}
		return shim.Input, record.GetData().GetData(), nil
	case agent.ProcessIO_CONTROL:
		switch record.GetControl().GetType() {
		case agent.ProcessIO_Control_HEARTBEAT:
			return 0, nil, nil
		case agent.ProcessIO_Control_TTY_INFO:
			size := record.GetControl().GetTtyInfo().GetWindowSize()
			data := binary.BigEndian.AppendUint16(nil, uint16(size.GetRows()))
			return shim.Window, binary.BigEndian.AppendUint16(data, uint16(size.GetColumns())), nil
		default:
			return 0, nil, fmt.Errorf("input cannot be controlled by a record of type %v", record.GetControl().GetType())
		}
	default:
		return 0, nil, fmt.Errorf("input is DATA or CONTROL, not %v", record.GetType())
	}
}

// inputConnection is one for all who attach, one after the other: input that ends with
// its connection would end the container's input.
func (c *Container) inputConnection() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.termination != nil || c.released {
		return nil, errEnded
	}
	if c.input == nil {
		conn, err := dial(c.Folder)
		if err != nil {
			return nil, err
		}
		c.input = conn
	}
	return c.input, nil
}

// AttachOutput names a receiver of the output; see the role Containerizer.
func (c *Container) AttachOutput(ctx context.Context, sink func(*agent.ProcessIO)) error {
	if err := c.attachable(); err != nil {
		return err
	}
	conn, err := c.outputConnection()
	if err != nil {
		return fmt.Errorf("attach to the output of container %s: %w", Key(c.ID), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := errors.Join(shim.Write(conn, shim.Attach, nil), attached(conn)); err != nil {
		stop()
		return errors.Join(fmt.Errorf("attach to the output of container %s: %w", Key(c.ID), err), c.closeOutput(conn))
	}
	go func() {
		defer stop()
		receive(ctx, conn, sink)
		_ = c.closeOutput(conn) // all that can be read is
	}()
	return nil
}

func (c *Container) outputConnection() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.termination != nil || c.released {
		return nil, errEnded
	}
	conn, err := dial(c.Folder)
	if err == nil {
		c.outputs[conn] = true
	}
	return conn, err
}

func (c *Container) closeOutput(conn net.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.outputs, conn)
	return conn.Close()
}

func attached(conn net.Conn) error {
	kind, _, err := shim.Read(conn)
	if err == nil && kind != shim.Attach {
		err = fmt.Errorf("the shim answers with %d", kind)
	}
	return err
}

// receive hands on the output until it ends, or ctx.
func receive(ctx context.Context, conn net.Conn, sink func(*agent.ProcessIO)) {
	for {
		kind, data, err := shim.Read(conn)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			sink(nil)
			return
		}
		stream := agent.ProcessIO_Data_STDOUT
		if kind == shim.Error {
			stream = agent.ProcessIO_Data_STDERR
		}
		sink(&agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: stream.Enum(), Data: data}})
	}
}

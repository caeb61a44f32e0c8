package shim

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Kind is what a frame says.
type Kind byte

const (
	// Run carries the Config, as JSON: the container may start.
	Run Kind = iota + 1
	// Signal carries one byte, the number of a signal for the container's command.
	Signal
	// Destroy ends everything in the container.
	Destroy
	// Input carries data for the command's input; none is its end.
	Input
	// Window carries the terminal's new size: rows and columns, two bytes each, the
	// high one first.
	Window
	// Attach asks for the container's output on this connection.
	Attach
	// Output and Error carry what the command has written, to those attached.
	Output
	Error
)

// MaxFrame is the length of the longest frame, in bytes. Environments are the longest.
const MaxFrame = 16 << 20

const frameHeader = 5

// Write sends a frame in one write.
func Write(w io.Writer, kind Kind, data []byte) error {
	if len(data) > MaxFrame {
		return fmt.Errorf("a frame of %d bytes: at most %d fit", len(data), MaxFrame)
	}
	frame := make([]byte, frameHeader, frameHeader+len(data))
	frame[0] = byte(kind)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(data)))
	_, err := w.Write(append(frame, data...))
	return err
}

// Read receives a frame. The end between two frames is io.EOF, within one
// io.ErrUnexpectedEOF.
func Read(r io.Reader) (Kind, []byte, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(header[1:])
	if length > MaxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes: at most %d fit", length, MaxFrame)
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(r, data); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return Kind(header[0]), data, nil
}

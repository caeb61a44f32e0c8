package v1client

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/recordio"
)

// Input is a request that goes on, as ATTACH_CONTAINER_INPUT wants it. Its methods are for one goroutine at a time.
type Input struct {
	form    Encoding
	pipe    *io.PipeWriter
	records *recordio.Writer
	cancel  context.CancelFunc
	done    chan error // holds what the server answered; written once
}

// Input begins a streaming request. Its records are sent as they are written; the answer comes when the server is done
// with them. It ends with ctx, and has to be finished or closed. Redirects are not followed: what has been sent is gone.
func (c *Client) Input(ctx context.Context, header http.Header) (*Input, error) {
	ctx, cancel := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	request, err := c.request(ctx, c.Endpoint(), reader, header, mediaRecordIO, c.config.Encoding.MediaType())
	if err != nil {
		cancel()
		return nil, err
	}
	request.Header.Set("Message-Content-Type", c.config.Encoding.MediaType())
	in := &Input{form: c.config.Encoding, pipe: writer, records: recordio.NewWriter(writer, c.config.Limit), cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := c.exchange(request)
		in.done <- err
		if err == nil {
			err = io.ErrClosedPipe
		}
		_ = reader.CloseWithError(err) // a Send that comes after the answer returns it
	}()
	return in, nil
}

func (c *Client) exchange(request *http.Request) error {
	response, err := c.do(request)
	if err != nil {
		return err
	}
	if response, err = c.judge(request.URL.String(), response); err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = c.readAll(response)
	return err
}

// Send writes one record. It waits until the server takes it.
func (in *Input) Send(record proto.Message) error {
	text, err := in.form.marshal(record)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return in.records.WriteRecord(text)
}

// Finish ends the request and returns what the server says of it. It must be called once at most.
func (in *Input) Finish() error {
	_ = in.pipe.Close() // it cannot fail
	err := <-in.done
	in.cancel()
	return err
}

// Close gives the request up, whatever the server makes of it. It may follow Finish, and be called more than once.
func (in *Input) Close() {
	in.cancel()
	_ = in.pipe.CloseWithError(context.Canceled)
}

// Attach sends a call whose answer is a stream of ProcessIO records: ATTACH_CONTAINER_OUTPUT, or
// LAUNCH_NESTED_CONTAINER_SESSION.
func (c *Client) Attach(ctx context.Context, call proto.Message, header http.Header) (*Stream, error) {
	body, err := c.config.Encoding.marshal(call)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	media := c.config.Encoding.MediaType()
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Message-Accept", media)
	return c.open(ctx, func(ctx context.Context) (*http.Response, error) {
		return c.send(ctx, body, header, media, mediaRecordIO)
	})
}

package apihttp

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

const (
	// worthGzip is the length from which Mesos compresses.
	worthGzip = 1024

	// whole is up to where an answer is kept until its length is known. What is
	// longer goes out while it is made, in chunks.
	whole = 1 << 20

	// pause is how long a client may keep an answer of any length waiting.
	pause = 30 * time.Second
)

// Empty answers with a status and nothing else.
func Empty(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// Message answers 200 with a message.
func Message(w http.ResponseWriter, r *http.Request, media Media, m proto.Message) {
	if media == JSON {
		Document(w, r, func(e *mesosjson.Encoder) { e.Message(m) })
		return
	}
	b, err := media.Append(nil, m)
	if err != nil {
		Internal(err).Write(w, r)
		return
	}
	w.Header().Set("Content-Type", TypeProtobuf)
	body(w, r, http.StatusOK, b)
}

// Document answers 200 with a JSON document that write writes, never all of it in
// memory if it is long. With ?jsonp=NAME in the query of a GET it is the argument of
// a call.
func Document(w http.ResponseWriter, r *http.Request, write func(e *mesosjson.Encoder)) {
	callback := ""
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		callback = r.URL.Query().Get("jsonp")
	}
	out := newAnswer(w, r, http.StatusOK)
	e, contentType := mesosjson.NewEncoder(out), TypeJSON
	if callback != "" {
		var err error
		if e, err = mesosjson.NewCallbackEncoder(out, callback); err != nil {
			Refuse(http.StatusBadRequest, "%v", err).Write(w, r)
			return
		}
		contentType = TypeJavaScript
	}
	w.Header().Set("Content-Type", contentType)
	write(e)
	out.end(r, e.Close())
}

// Write answers 200 with what write writes, never all of it in memory if it is long.
// With an error before anything was sent it is a 500, or a refusal if it is one.
func Write(w http.ResponseWriter, r *http.Request, contentType string, write func(io.Writer) error) {
	out := newAnswer(w, r, http.StatusOK)
	w.Header().Set("Content-Type", contentType)
	out.end(r, write(out))
}

// end ends an answer whose making came to err.
func (a *answer) end(r *http.Request, err error) {
	refusal := (*Refusal)(nil)
	switch {
	case err == nil:
		a.close()
	case a.begun():
		panic(http.ErrAbortHandler) // half an answer must not look like one
	case errors.As(err, &refusal):
		refusal.Write(a.w, r)
	default:
		Internal(err).Write(a.w, r)
	}
}

// body answers with bytes. The headers are set but for length and encoding.
func body(w http.ResponseWriter, r *http.Request, status int, b []byte) {
	out := newAnswer(w, r, status)
	out.kept = *bytes.NewBuffer(b)
	out.close()
}

// answer is the body of an answer. It keeps what is written until there is too much
// of it, so that short answers have a length.
type answer struct {
	w        http.ResponseWriter
	patience *http.ResponseController
	status   int
	gzip     bool
	kept     bytes.Buffer
	to       io.Writer // nil while all is kept
	zip      *gzip.Writer
}

func newAnswer(w http.ResponseWriter, r *http.Request, status int) *answer {
	return &answer{w: w, patience: http.NewResponseController(w), status: status, gzip: AcceptsGzip(r.Header)}
}

func (a *answer) begun() bool { return a.to != nil }

// Write implements io.Writer.
func (a *answer) Write(b []byte) (int, error) {
	if a.to == nil && a.kept.Len()+len(b) <= whole {
		return a.kept.Write(b)
	}
	if a.to == nil {
		a.begin()
		if _, err := a.to.Write(a.kept.Bytes()); err != nil {
			return 0, err
		}
		a.kept = bytes.Buffer{}
	}
	a.wait()
	return a.to.Write(b)
}

// wait gives the client time for the next piece: long answers take as long as they
// take, but not a client that does not read.
func (a *answer) wait() { _ = a.patience.SetWriteDeadline(time.Now().Add(pause)) }

// begin sends the headers of an answer whose length is not known.
func (a *answer) begin() {
	a.to = a.w
	if a.gzip {
		a.w.Header().Set("Content-Encoding", "gzip")
		a.zip = zip(a.w)
		a.to = a.zip
	}
	a.w.WriteHeader(a.status)
}

// close ends the answer.
func (a *answer) close() {
	if a.to == nil {
		a.short()
		return
	}
	a.wait()
	if a.zip != nil {
		_ = a.zip.Close()
		zips.Put(a.zip)
	}
}

func (a *answer) short() {
	b := a.kept.Bytes()
	if a.gzip && len(b) >= worthGzip {
		var packed bytes.Buffer
		z := zip(&packed)
		_, _ = z.Write(b) // into memory
		_ = z.Close()
		zips.Put(z)
		b = packed.Bytes()
		a.w.Header().Set("Content-Encoding", "gzip")
	}
	a.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	a.w.WriteHeader(a.status)
	for piece := range slices.Chunk(b, whole) {
		a.wait()
		if _, err := a.w.Write(piece); err != nil {
			return // a reader that has gone needs no answer
		}
	}
}

// zips are compressors in store: one takes more memory than most answers.
var zips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is one
	return z
}}

func zip(w io.Writer) *gzip.Writer {
	z := zips.Get().(*gzip.Writer)
	z.Reset(w)
	return z
}

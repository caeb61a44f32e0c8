package httpface

import (
	"bytes"
	"io"
	"net/http"

	"github.com/mesos-modules/mms/depgraph"
)

func (f *Face) graphText(w http.ResponseWriter, r *http.Request) {
	f.graph(w, r, plain, (*depgraph.Plan).WriteText)
}

func (f *Face) graphJSON(w http.ResponseWriter, r *http.Request) {
	f.graph(w, r, "application/json", (*depgraph.Plan).WriteJSON)
}

func (f *Face) graphDOT(w http.ResponseWriter, r *http.Request) {
	f.graph(w, r, "text/vnd.graphviz; charset=utf-8", (*depgraph.Plan).WriteDOT)
}

func (f *Face) graph(w http.ResponseWriter, r *http.Request, contentType string, write func(*depgraph.Plan, io.Writer) error) {
	plan := f.c.Modules.Result().Plan
	if plan == nil {
		fail(w, r, http.StatusServiceUnavailable, problem{Error: "there is no plan: verification has not ended well", Near: []string{"/modules/findings"}})
		return
	}
	render(w, r, contentType, func(b *bytes.Buffer) error { return write(plan.Graph, b) })
}

package httpface

import (
	"bytes"
	"fmt"
	"net/http"
)

func (f *Face) index(w http.ResponseWriter, r *http.Request) {
	render(w, r, plain, func(b *bytes.Buffer) error {
		fmt.Fprintf(b, "%s %s\n\n", f.c.Daemon, f.c.Version)
		for _, at := range f.routes {
			fmt.Fprintf(b, "%-22s %s\n", at.path, at.about)
		}
		fmt.Fprintf(b, "\n/health, /version and /flags are also below %s, as in Apache Mesos.\n", f.c.Prefix)
		return nil
	})
}

// health is 200 with an empty body, as in Apache Mesos.
func (f *Face) health(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func (f *Face) version(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"version": f.c.Version})
}

func (f *Face) flags(w http.ResponseWriter, _ *http.Request) {
	values := map[string]string{}
	for _, x := range f.c.Flags() {
		values[x.Name] = x.Value
	}
	answer(w, http.StatusOK, map[string]any{"flags": values})
}

func (f *Face) metrics(w http.ResponseWriter, r *http.Request) { f.c.Metrics.ServeHTTP(w, r) }

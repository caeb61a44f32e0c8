package files

import (
	"errors"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// Routes are what is answered below /files: browse, read, download and debug.
func (f *Files) Routes(realm apihttp.Realm) []apihttp.Route {
	var routes []apihttp.Route
	for _, r := range []struct {
		name   string
		handle http.HandlerFunc
	}{{"browse", f.serveBrowse}, {"read", f.serveRead}, {"download", f.serveDownload}, {"debug", f.serveDebug}} {
		for _, suffix := range []string{"", ".json"} { // the second is the older form
			routes = append(routes, apihttp.Route{Path: "/files/" + r.name + suffix, Realm: realm, Handler: r.handle})
		}
	}
	return routes
}

// Refusal is what a client is answered when a method of Files has failed.
func Refusal(err error) *apihttp.Refusal {
	switch {
	case errors.Is(err, ErrNotFound):
		return apihttp.Refuse(http.StatusNotFound, "%v", err)
	case errors.Is(err, ErrForbidden):
		return &apihttp.Refusal{Status: http.StatusForbidden}
	case errors.Is(err, ErrOutside), errors.Is(err, ErrNotRegular), errors.Is(err, ErrRange), errors.Is(err, ErrTooMany):
		return apihttp.Refuse(http.StatusBadRequest, "%v", err)
	default:
		return apihttp.Refuse(http.StatusInternalServerError, "%v", err)
	}
}

// requested is the path that a request names.
func requested(r *http.Request) (string, *apihttp.Refusal) {
	virtual := r.URL.Query().Get("path")
	if virtual == "" {
		return "", apihttp.Refuse(http.StatusBadRequest, "Expecting 'path=value' in query.\n")
	}
	return virtual, nil
}

func (f *Files) serveBrowse(w http.ResponseWriter, r *http.Request) {
	virtual, refusal := requested(r)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	list, err := f.Browse(r.Context(), apihttp.PrincipalOf(r), virtual)
	if err != nil {
		Refusal(err).Write(w, r)
		return
	}
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginArray()
		for _, info := range list {
			encodeInfo(e, info)
		}
		e.EndArray()
	})
}

// encodeInfo writes an entry as the older API has it, keys sorted.
func encodeInfo(e *mesosjson.Encoder, info *mesosv1.FileInfo) {
	e.BeginObject()
	e.Key("gid")
	e.String(info.GetGid())
	e.Key("mode")
	e.String(modeText(info.GetMode()))
	e.Key("mtime")
	e.Double(float64(info.GetMtime().GetNanoseconds() / 1e9)) // whole seconds
	e.Key("nlink")
	e.Int(int64(info.GetNlink()))
	e.Key("path")
	e.String(info.GetPath())
	e.Key("size")
	e.Uint(info.GetSize())
	e.Key("uid")
	e.String(info.GetUid())
	e.EndObject()
}

func (f *Files) serveRead(w http.ResponseWriter, r *http.Request) {
	virtual, refusal := requested(r)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	offset, refusal := number(r, "offset")
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	length, refusal := number(r, "length")
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	content, err := f.Read(r.Context(), apihttp.PrincipalOf(r), virtual, offset, length)
	if err != nil {
		Refusal(err).Write(w, r)
		return
	}
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginObject()
		e.Key("data")
		e.String(content.text())
		e.Key("offset")
		e.Int(content.Offset)
		e.EndObject()
	})
}

// number reads an offset or length; End if there is none.
func number(r *http.Request, name string) (int64, *apihttp.Refusal) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return End, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, apihttp.Refuse(http.StatusBadRequest, "Failed to parse %s: %q is not a whole number.\n", name, text)
	}
	return n, nil
}

func (f *Files) serveDownload(w http.ResponseWriter, r *http.Request) {
	virtual, refusal := requested(r)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	p, err := f.resolve(r.Context(), apihttp.PrincipalOf(r), virtual)
	if err != nil {
		Refusal(err).Write(w, r)
		return
	}
	defer p.close()
	file, err := p.open()
	if err != nil {
		Refusal(err).Write(w, r)
		return
	}
	defer file.Close()
	name := path.Base(strings.TrimRight(virtual, "/"))
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, name, p.info.ModTime(), file)
}

// contentType is the type that a file's name suggests, bare.
func contentType(name string) string {
	media, _, _ := strings.Cut(mime.TypeByExtension(path.Ext(name)), ";")
	if media == "" {
		return "application/octet-stream"
	}
	return media
}

func (f *Files) serveDebug(w http.ResponseWriter, r *http.Request) {
	pairs := f.Attached()
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginObject()
		for _, p := range pairs {
			e.Key(p.Virtual)
			e.String(p.Real)
		}
		e.EndObject()
	})
}

package fetcher

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// item is one URI and what is to be done with it.
type item struct {
	value      string // the URI
	shown      string // the URI as errors and logs have it: without user, password and query
	local      string // the path of a file of this machine; empty for a download
	name       string // in the sandbox
	executable bool
	extract    bool
	cached     bool
}

// itemOf reads a URI. The error names it.
func (f *Fetcher) itemOf(uri *mesosv1.CommandInfo_URI) (*item, error) {
	i := &item{
		value: uri.GetValue(), shown: shown(uri.GetValue()),
		executable: uri.GetExecutable(), extract: uri.GetExtract() && !uri.GetExecutable(), cached: uri.GetCache(),
	}
	if err := f.locate(i); err != nil {
		return nil, fmt.Errorf("%s: %w", i.shown, err)
	}
	if i.name = uri.GetOutputFile(); i.name == "" {
		i.name = baseName(i.value)
	}
	if i.name = path.Clean(i.name); !filepath.IsLocal(i.name) || i.name == "." {
		return nil, fmt.Errorf("%s: %q is not a name for a file in the sandbox", i.shown, i.name)
	}
	return i, nil
}

// locate finds out what kind of URI it is.
func (f *Fetcher) locate(i *item) error {
	scheme, rest, found := strings.Cut(i.value, "://")
	switch {
	case i.value == "":
		return errors.New("the URI is empty")
	case strings.ContainsAny(i.value, "\x00\n\r"):
		return errors.New("the URI has a character that none may have")
	case !found && strings.HasPrefix(i.value, "/"):
		i.local = path.Clean(i.value)
	case !found && f.config.FrameworksHome == "":
		return errors.New("a relative path needs the agent's --frameworks_home")
	case !found:
		if !filepath.IsLocal(i.value) {
			return errors.New("the path leads out of the agent's --frameworks_home")
		}
		i.local = filepath.Join(f.config.FrameworksHome, i.value)
	case strings.EqualFold(scheme, "file"):
		rest = strings.TrimPrefix(rest, "localhost")
		if !strings.HasPrefix(rest, "/") {
			return errors.New("want file:// and an absolute path")
		}
		i.local = path.Clean(rest)
	case strings.EqualFold(scheme, "http"), strings.EqualFold(scheme, "https"):
		if u, err := url.Parse(i.value); err != nil || u.Host == "" {
			return errors.New("this is not a URL")
		}
	default:
		return fmt.Errorf("the scheme %s is not supported: want file, http, https or a path", scheme)
	}
	return nil
}

// baseName is the last part of a URI, query included, as Mesos names what it fetches; empty if there is none.
func baseName(uri string) string {
	if _, rest, found := strings.Cut(uri, "://"); found {
		host, below, _ := strings.Cut(rest, "/")
		if uri = below; host != "" && below == "" {
			return ""
		}
	}
	return uri[strings.LastIndexByte(uri, '/')+1:]
}

// shown is a URI without what may be secret in it.
func shown(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		uri, _, _ = strings.Cut(uri, "?")
		return uri
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// archives are the endings of the names of files that are unpacked, and how.
var archives = []struct {
	ending string
	form   form
}{
	{".tar", form{tar: true}},
	{".tar.gz", form{gzip, true}}, {".tgz", form{gzip, true}},
	{".tar.bz2", form{bzip2, true}}, {".tbz2", form{bzip2, true}},
	{".tar.xz", form{xz, true}}, {".txz", form{xz, true}},
	{".gz", form{compression: gzip}},
	{".zip", form{compression: zipped}},
}

// form is how a file is packed.
type form struct {
	compression compression
	tar         bool
}

type compression uint8

const (
	plain compression = iota
	gzip
	bzip2
	xz
	zipped
)

// packed is how the item is packed, by its name; ok is false if it is not.
func (i *item) packed() (f form, ending string, ok bool) {
	for _, a := range archives {
		if strings.HasSuffix(i.name, a.ending) {
			return a.form, a.ending, true
		}
	}
	return form{}, "", false
}

// unpacks says whether the item is to be unpacked.
func (i *item) unpacks() bool {
	_, _, ok := i.packed()
	return ok && i.extract
}

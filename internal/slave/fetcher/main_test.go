package fetcher

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	gzipwriter "compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	xzwriter "github.com/ulikunitz/xz"
	"go.uber.org/goleak"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// web is a server of files.
type web struct {
	*httptest.Server
	mu      sync.Mutex
	files   map[string][]byte
	handler map[string]http.HandlerFunc
	asked   map[string]int
}

func newWeb(t *testing.T) *web {
	w := &web{files: map[string][]byte{}, handler: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *web) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked[r.URL.Path]++
	file, found := w.files[r.URL.Path]
	handler := w.handler[r.URL.Path]
	w.mu.Unlock()
	switch {
	case handler != nil:
		handler(out, r)
	case found:
		_, _ = out.Write(file)
	default:
		http.NotFound(out, r)
	}
}

func (w *web) times(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[path]
}

func newFetcher(t *testing.T, config Config) *Fetcher {
	f, err := New(config)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// sandbox is an empty folder that anybody may write to.
func sandbox(t *testing.T) string {
	folder := filepath.Join(t.TempDir(), "sandbox")
	require.NoError(t, os.Mkdir(folder, 0o700))
	require.NoError(t, os.Chmod(folder, 0o777))
	for at := filepath.Dir(folder); at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		require.NoError(t, os.Chmod(at, 0o755))
	}
	return folder
}

func command(uris ...*mesosv1.CommandInfo_URI) *mesosv1.CommandInfo {
	return &mesosv1.CommandInfo{Uris: uris}
}

func uri(value string) *mesosv1.CommandInfo_URI { return &mesosv1.CommandInfo_URI{Value: &value} }

func fetch(t *testing.T, f *Fetcher, folder string, uris ...*mesosv1.CommandInfo_URI) error {
	return f.Fetch(t.Context(), Request{Command: command(uris...), Sandbox: folder})
}

// tree lists what is in a folder: names with contents, of links their targets.
func tree(t *testing.T, folder string) map[string]string {
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		below, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		if entry.Type() == fs.ModeSymlink {
			target, err := os.Readlink(name)
			found[below] = "-> " + target
			return err
		}
		text, err := os.ReadFile(name)
		found[below] = string(text)
		return err
	}))
	return found
}

// tarOf packs entries; a size that is not set is that of the text.
func tarOf(t *testing.T, entries ...tar.Header) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range entries {
		text := h.PAXRecords["MMS.text"]
		h.PAXRecords = nil
		h.Size = int64(len(text))
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		require.NoError(t, w.WriteHeader(&h))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func file(name, text string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"MMS.text": text}}
}

func link(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target}
}

func hard(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target}
}

func gzipped(t *testing.T, text []byte) []byte {
	var out bytes.Buffer
	w := gzipwriter.NewWriter(&out)
	_, err := w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func xzipped(t *testing.T, text []byte) []byte {
	var out bytes.Buffer
	w, err := xzwriter.NewWriter(&out)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

type zipEntry struct {
	name, text string
	mode       fs.FileMode
}

func zipOf(t *testing.T, entries ...zipEntry) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		to, err := w.CreateHeader(h)
		require.NoError(t, err)
		_, err = io.WriteString(to, e.text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/apihttp"
)

// sandbox is a folder with all that a task may put there, attached as /sandbox; the folder around it holds a secret.
func sandbox(t *testing.T) (*Files, string) {
	around := t.TempDir()
	folder := filepath.Join(around, "run-1")
	write := func(name, text string) {
		name = filepath.Join(around, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		require.NoError(t, os.Chtimes(name, time.Time{}, time.Unix(1700000000, 5e8)))
	}
	link := func(to, name string) { require.NoError(t, os.Symlink(to, filepath.Join(folder, name))) }
	write("secret", "secret")
	write("run-1/stdout", "0123456789")
	write("run-1/sub/b.json", "{}")
	write("run-1/sub/a", "aa")
	link("sub/a", "inside")
	link(filepath.Join(folder, "sub"), "absolute")
	link("../secret", "outside")
	link("/etc", "etc")
	link("loop", "loop")
	link("nowhere", "dangling")
	require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600))
	require.NoError(t, os.Symlink("run-1", filepath.Join(around, "latest")))
	f := &Files{}
	f.Attach("/sandbox", filepath.Join(around, "latest"), nil)
	return f, folder
}

func TestWhereAPathLeads(t *testing.T) {
	f, folder := sandbox(t)
	f.Attach("/sandbox/deeper/still/", filepath.Join(folder, "sub"), nil)
	f.Attach("file", filepath.Join(folder, "stdout"), nil)
	for _, c := range []struct {
		path string
		data string
		err  error
	}{
		{"/sandbox/stdout", "0123456789", nil},
		{"sandbox//stdout/", "0123456789", nil},
		{"/sandbox/sub/../stdout", "0123456789", nil},
		{"/sandbox/inside", "aa", nil},
		{"/sandbox/absolute/a", "aa", nil},
		{"/sandbox/deeper/still/a", "aa", nil},
		{"/file", "0123456789", nil},
		{"/file/x", "", ErrNotFound},
		{"/sandbox/deeper/a", "", ErrNotFound},
		{"/sandbox/nothing", "", ErrNotFound},
		{"/sandbox/dangling", "", ErrNotFound},
		{"/nothing", "", ErrNotFound},
		{"/", "", ErrNotFound},
		{"/sandboxes", "", ErrNotFound},
		{"/sandbox/outside", "", ErrOutside},
		{"/sandbox/../secret", "", ErrOutside},
		{"/sandbox/sub/../../secret", "", ErrOutside},
		{"/sandbox/etc/passwd", "", ErrOutside},
		{"/sandbox/loop", "", ErrOutside},
		{"/sandbox/deeper/still/../stdout", "", ErrOutside},
		{"/sandbox", "", ErrNotRegular},
		{"/sandbox/sub", "", ErrNotRegular},
		{"/sandbox/pipe", "", ErrNotRegular},
	} {
		t.Run(c.path, func(t *testing.T) {
			content, err := f.Read(t.Context(), nil, c.path, 0, End)
			require.ErrorIs(t, err, c.err)
			assert.Equal(t, c.data, string(content.Data))
			if err != nil {
				assert.NotContains(t, err.Error(), folder, "real paths are not the client's concern")
			}
		})
	}
	t.Run("what is detached is not there", func(t *testing.T) {
		f.Detach("/file/")
		_, err := f.Read(t.Context(), nil, "/file", 0, End)
		require.ErrorIs(t, err, ErrNotFound)
		assert.Len(t, f.Attached(), 2)
	})
	t.Run("everything is below a root", func(t *testing.T) {
		f := &Files{}
		f.Attach("/", folder, nil)
		content, err := f.Read(t.Context(), nil, "/sub/a", 0, End)
		require.NoError(t, err)
		assert.Equal(t, "aa", string(content.Data))
	})
}

func TestALinkThatIsPutThereMeanwhileLeadsNowhere(t *testing.T) {
	f, folder := sandbox(t)
	p, err := f.resolve(t.Context(), nil, "/sandbox/sub/a")
	require.NoError(t, err)
	defer p.close()
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "sub")))
	require.NoError(t, os.Symlink("..", filepath.Join(folder, "sub")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "..", "a"), []byte("secret"), 0o600))
	_, err = p.open()
	require.Error(t, err)
}

func TestParts(t *testing.T) {
	f, folder := sandbox(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "long"), []byte(strings.Repeat("x", 200_000)), 0o600))
	for _, c := range []struct {
		path           string
		offset, length int64
		at             int64
		size           int
		err            error
	}{
		{"stdout", End, End, 10, 0, nil},
		{"stdout", End, 5, 10, 0, nil},
		{"stdout", 0, End, 0, 10, nil},
		{"stdout", 4, 3, 4, 3, nil},
		{"stdout", 4, 100, 4, 6, nil},
		{"stdout", 10, End, 10, 0, nil},
		{"stdout", 11, End, 11, 0, nil},
		{"stdout", 3, 0, 3, 0, nil},
		{"long", 0, End, 0, 65536, nil},
		{"long", 100, 100_000, 100, 65536, nil},
		{"stdout", -2, 0, 0, 0, ErrRange},
		{"stdout", 0, -2, 0, 0, ErrRange},
	} {
		t.Run(fmt.Sprint(c.path, " ", c.offset, " ", c.length), func(t *testing.T) {
			content, err := f.Read(t.Context(), nil, "/sandbox/"+c.path, c.offset, c.length)
			require.ErrorIs(t, err, c.err)
			assert.Equal(t, c.at, content.Offset)
			assert.Len(t, content.Data, c.size)
		})
	}
	t.Run("as the call READ_FILE has it", func(t *testing.T) {
		content, err := f.ReadFile(t.Context(), nil, "/sandbox/stdout", 8, nil)
		require.NoError(t, err)
		assert.Equal(t, Content{Data: []byte("89"), Offset: 8, Size: 10}, content)
		content, err = f.ReadFile(t.Context(), nil, "/sandbox/stdout", 0, new(uint64(1<<63)))
		require.NoError(t, err)
		assert.Len(t, content.Data, 10)
		_, err = f.ReadFile(t.Context(), nil, "/sandbox/stdout", 1<<63, nil)
		require.ErrorIs(t, err, ErrRange)
	})
}

func TestBrowse(t *testing.T) {
	f, folder := sandbox(t)
	list, err := f.Browse(t.Context(), nil, "/sandbox/sub/")
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "/sandbox/sub/a", list[0].GetPath())
	assert.Equal(t, "/sandbox/sub/b.json", list[1].GetPath())
	assert.EqualValues(t, syscall.S_IFREG|0o644, list[0].GetMode())
	assert.EqualValues(t, 2, list[0].GetSize())
	assert.EqualValues(t, 1, list[0].GetNlink())
	assert.EqualValues(t, 1700000000500000000, list[0].GetMtime().GetNanoseconds())
	assert.NotEmpty(t, list[0].GetUid())

	t.Run("links that lead out or nowhere are listed as links", func(t *testing.T) {
		list, err := f.Browse(t.Context(), nil, "/sandbox")
		require.NoError(t, err)
		var modes []string
		for _, info := range list {
			modes = append(modes, modeText(info.GetMode())[:1]+filepath.Base(info.GetPath()))
		}
		assert.Equal(t, []string{"labsolute", "ldangling", "letc", "-inside", "lloop", "loutside", "ppipe", "-stdout", "dsub"}, modes)
	})
	t.Run("of a file nothing", func(t *testing.T) {
		list, err := f.Browse(t.Context(), nil, "/sandbox/stdout")
		require.NoError(t, err)
		assert.Empty(t, list)
	})
	t.Run("what is not there is an error", func(t *testing.T) {
		_, err := f.Browse(t.Context(), nil, "/sandbox/x")
		require.ErrorIs(t, err, ErrNotFound)
	})
	t.Run("a folder that may not be read is an error", func(t *testing.T) {
		require.ErrorIs(t, cause(&os.PathError{Err: syscall.EACCES}), syscall.EACCES)
		assert.Equal(t, http.StatusInternalServerError, Refusal(cause(&os.PathError{Err: syscall.EACCES})).Status)
	})
	assert.NotEmpty(t, folder)
}

func TestModes(t *testing.T) {
	for mode, want := range map[uint32]string{
		syscall.S_IFREG | 0o644: "-rw-r--r--", syscall.S_IFDIR | 0o1777: "drwxrwxrwt", syscall.S_IFDIR | 0o1666: "drw-rw-rwT",
		syscall.S_IFREG | 0o4755: "-rwsr-xr-x", syscall.S_IFREG | 0o2644: "-rw-r-Sr--", syscall.S_IFLNK | 0o777: "lrwxrwxrwx",
		syscall.S_IFSOCK: "s---------", syscall.S_IFIFO | 0o111: "p--x--x--x", 0: "?---------",
	} {
		assert.Equal(t, want, modeText(mode))
	}
}

func TestAuthorization(t *testing.T) {
	f, folder := sandbox(t)
	ops := "ops"
	f.Attach("/closed", folder, func(_ context.Context, who *apihttp.Principal) error {
		switch {
		case who == nil:
			return ErrForbidden
		case *who.Value != ops:
			return errors.New("cannot tell")
		}
		return nil
	})
	_, err := f.Read(t.Context(), nil, "/closed/stdout", 0, End)
	assert.Equal(t, http.StatusForbidden, Refusal(err).Status)
	_, err = f.Browse(t.Context(), &apihttp.Principal{Value: new("other")}, "/closed")
	assert.Equal(t, http.StatusInternalServerError, Refusal(err).Status)
	_, err = f.Read(t.Context(), &apihttp.Principal{Value: &ops}, "/closed/stdout", 0, End)
	require.NoError(t, err)
}

func TestHTTP(t *testing.T) {
	f, folder := sandbox(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "umlaut"), []byte(strings.Repeat("x", int(MaxRead)-1)+"äö"), 0o600))
	router := apihttp.NewRouter("/slave(1)", nil, f.Routes(apihttp.RealmReadOnly), http.NotFoundHandler())
	get := func(path, query string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?"+query, nil))
		return w
	}
	t.Run("browse", func(t *testing.T) {
		w := get("/files/browse", "path=/sandbox/sub")
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		list, err := f.Browse(t.Context(), nil, "/sandbox/sub")
		require.NoError(t, err)
		want := fmt.Sprintf(`[{"gid":%[1]q,"mode":"-rw-r--r--","mtime":1700000000.0,"nlink":1,"path":"/sandbox/sub/a","size":2,"uid":%[2]q},`+
			`{"gid":%[1]q,"mode":"-rw-r--r--","mtime":1700000000.0,"nlink":1,"path":"/sandbox/sub/b.json","size":2,"uid":%[2]q}]`,
			list[0].GetGid(), list[0].GetUid())
		assert.Equal(t, want, w.Body.String())
		assert.Equal(t, "[]", get("/slave(1)/files/browse.json", "path=/sandbox/stdout").Body.String())
	})
	t.Run("read", func(t *testing.T) {
		assert.Equal(t, `{"data":"","offset":10}`, get("/files/read", "path=/sandbox/stdout").Body.String())
		assert.Equal(t, `{"data":"","offset":10}`, get("/files/read", "path=/sandbox/stdout&offset=-1&length=5").Body.String())
		assert.Equal(t, `{"data":"345","offset":3}`, get("/files/read", "path=/sandbox/stdout&offset=3&length=3").Body.String())
		assert.Equal(t, `cb({"data":"9","offset":9})`, get("/files/read", "path=/sandbox/stdout&offset=9&length=-1&jsonp=cb").Body.String())
		assert.Equal(t, `{"data":"aa","offset":0}`, get("/files/read.json", "path=%2Fsandbox%2Fsub%2Fa&offset=0").Body.String())
	})
	t.Run("a character that a part cuts in two comes with the next", func(t *testing.T) {
		var answer struct {
			Data   string
			Offset int
		}
		require.NoError(t, json.Unmarshal(get("/files/read", "path=/sandbox/umlaut&offset=0").Body.Bytes(), &answer))
		assert.Len(t, answer.Data, int(MaxRead)-1)
		assert.Equal(t, `{"data":"äö","offset":65535}`, get("/files/read", "path=/sandbox/umlaut&offset=65535").Body.String())
	})
	t.Run("download", func(t *testing.T) {
		w := get("/files/download", "path=/sandbox/stdout")
		assert.Equal(t, "0123456789", w.Body.String())
		assert.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))
		assert.Equal(t, "attachment; filename=stdout", w.Header().Get("Content-Disposition"))
		assert.Equal(t, "10", w.Header().Get("Content-Length"))
		assert.Equal(t, "application/json", get("/files/download.json", "path=/sandbox/sub/b.json").Header().Get("Content-Type"))
	})
	t.Run("debug", func(t *testing.T) {
		assert.Equal(t, fmt.Sprintf(`{"/sandbox":%q}`, filepath.Join(filepath.Dir(folder), "latest")), get("/files/debug", "").Body.String())
	})
	for _, c := range []struct {
		path, query string
		status      int
		text        string
	}{
		{"/files/browse", "", 400, "Expecting 'path=value' in query.\n"},
		{"/files/read", "path=", 400, "Expecting 'path=value' in query.\n"},
		{"/files/download", "", 400, "Expecting 'path=value' in query.\n"},
		{"/files/browse", "path=/x", 404, "/x: there is no such file"},
		{"/files/read", "path=/x", 404, "/x: there is no such file"},
		{"/files/download", "path=/x", 404, "/x: there is no such file"},
		{"/files/browse", "path=/sandbox/..", 400, "/sandbox/..: the path leads out of the attached folder"},
		{"/files/download", "path=/sandbox/outside", 400, "/sandbox/outside: the path leads out of the attached folder"},
		{"/files/read", "path=/sandbox/stdout&offset=-2", 400, "/sandbox/stdout: offset -2, length -1: the range is not valid"},
		{"/files/read", "path=/sandbox/stdout&offset=a", 400, "Failed to parse offset: \"a\" is not a whole number.\n"},
		{"/files/read", "path=/sandbox/stdout&length=1.5", 400, "Failed to parse length: \"1.5\" is not a whole number.\n"},
		{"/files/read", "path=/sandbox", 400, "/sandbox: this is not a regular file"},
		{"/files/download", "path=/sandbox/pipe", 400, "this is not a regular file"},
	} {
		t.Run(c.path+"?"+url.QueryEscape(c.query), func(t *testing.T) {
			w := get(c.path, c.query)
			assert.Equal(t, c.status, w.Code)
			assert.Equal(t, c.text, w.Body.String())
		})
	}
}

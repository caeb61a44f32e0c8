package fetcher

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestWhereFilesComeFrom(t *testing.T) {
	w := newWeb(t)
	w.files["/a/run.sh"] = []byte("over http")
	w.handler["/moved"] = func(out http.ResponseWriter, r *http.Request) { http.Redirect(out, r, "/a/run.sh", http.StatusFound) }
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "local"), []byte("from here"), 0o600))
	f := newFetcher(t, Config{FrameworksHome: home})
	for _, c := range []struct{ uri, name, text string }{
		{w.URL + "/a/run.sh", "run.sh", "over http"},
		{w.URL + "/a/run.sh?sig=1", "run.sh?sig=1", "over http"},
		{w.URL + "/moved", "moved", "over http"},
		{filepath.Join(home, "local"), "local", "from here"},
		{"file://" + filepath.Join(home, "local"), "local", "from here"},
		{"file://localhost" + filepath.Join(home, "local"), "local", "from here"},
		{"local", "local", "from here"},
	} {
		t.Run(c.uri, func(t *testing.T) {
			folder := sandbox(t)
			require.NoError(t, fetch(t, f, folder, uri(c.uri)))
			assert.Equal(t, map[string]string{c.name: c.text}, tree(t, folder))
			info, err := os.Stat(filepath.Join(folder, c.name))
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o644), info.Mode())
		})
	}
	t.Run("nothing to fetch is no fetch", func(t *testing.T) {
		before := f.Stats()
		require.NoError(t, fetch(t, f, "/nowhere"))
		assert.Equal(t, before, f.Stats())
	})
	t.Run("an executable is one, and not unpacked", func(t *testing.T) {
		folder := sandbox(t)
		w.files["/tool.gz"] = []byte("not packed")
		u := uri(w.URL + "/tool.gz")
		u.Executable = new(true)
		require.NoError(t, fetch(t, f, folder, u))
		info, err := os.Stat(filepath.Join(folder, "tool.gz"))
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o755), info.Mode())
	})
	t.Run("another name, with folders, what is there is replaced", func(t *testing.T) {
		folder := sandbox(t)
		u := uri(w.URL + "/a/run.sh")
		u.OutputFile = new("x/y")
		require.NoError(t, fetch(t, f, folder, u, u))
		assert.Equal(t, map[string]string{"x/y": "over http"}, tree(t, folder))
	})
	t.Run("a link in its place is replaced, not followed", func(t *testing.T) {
		folder := sandbox(t)
		victim := filepath.Join(t.TempDir(), "victim")
		require.NoError(t, os.WriteFile(victim, []byte("whole"), 0o600))
		require.NoError(t, os.Symlink(victim, filepath.Join(folder, "run.sh")))
		require.NoError(t, fetch(t, f, folder, uri(w.URL+"/a/run.sh")))
		text, err := os.ReadFile(victim)
		require.NoError(t, err)
		assert.Equal(t, "whole", string(text))
	})
	t.Run("a link above its place leads nowhere", func(t *testing.T) {
		folder := sandbox(t)
		require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(folder, "x")))
		u := uri(w.URL + "/a/run.sh")
		u.OutputFile = new("x/y")
		require.Error(t, fetch(t, f, folder, u))
	})
}

func TestURIsThatAreRefused(t *testing.T) {
	plain := newFetcher(t, Config{})
	home := newFetcher(t, Config{FrameworksHome: t.TempDir()})
	for _, c := range []struct {
		f                  *Fetcher
		value, name, error string
	}{
		{plain, "", "x", "the URI is empty"},
		{plain, "relative", "", "relative: a relative path needs the agent's --frameworks_home"},
		{home, "../up", "", "the path leads out of the agent's --frameworks_home"},
		{home, "a/../../up", "", "the path leads out of the agent's --frameworks_home"},
		{plain, "file://host/a", "", "want file:// and an absolute path"},
		{plain, "hdfs://a/b", "", "the scheme hdfs is not supported: want file, http, https or a path"},
		{plain, "ftp://a/b", "", "the scheme ftp is not supported"},
		{plain, "http:///b", "", "this is not a URL"},
		{plain, "http://a/b\nc", "", "a character that none may have"},
		{plain, "http://a", "", `"." is not a name for a file in the sandbox`},
		{plain, "http://a/b/", "", `"." is not a name for a file in the sandbox`},
		{plain, "http://a/..", "", `".." is not a name for a file in the sandbox`},
		{plain, "http://a/b", "../b", `"../b" is not a name for a file in the sandbox`},
		{plain, "http://a/b", "/etc/b", `"/etc/b" is not a name for a file in the sandbox`},
		{plain, "/", "", `"." is not a name for a file in the sandbox`},
	} {
		t.Run(c.value+" "+c.name, func(t *testing.T) {
			u := uri(c.value)
			if c.name != "" {
				u.OutputFile = &c.name
			}
			require.ErrorContains(t, fetch(t, c.f, sandbox(t), u), c.error)
		})
	}
	assert.Positive(t, plain.Stats().Failed)
	t.Run("all are looked at before the first is fetched", func(t *testing.T) {
		w := newWeb(t)
		w.files["/a"] = []byte("a")
		require.Error(t, fetch(t, plain, sandbox(t), uri(w.URL+"/a"), uri("ftp://a/b")))
		assert.Zero(t, w.times("/a"))
	})
}

func TestDownloadsThatFail(t *testing.T) {
	w := newWeb(t)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	w.handler["/slow"] = func(out http.ResponseWriter, r *http.Request) {
		_, _ = out.Write([]byte("some"))
		_ = http.NewResponseController(out).Flush()
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}
	w.handler["/cut"] = func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Length", "100")
		_, _ = out.Write([]byte("some"))
	}
	w.files["/large"] = make([]byte, 2000)
	f := newFetcher(t, Config{StallTimeout: 100 * time.Millisecond, MaxBytes: 1000})
	for _, c := range []struct{ path, error string }{
		{"/nothing", "the server answered 404 Not Found"},
		{"/slow", "nothing has come for 100ms"},
		{"/cut", "unexpected EOF"},
		{"/large", "it is larger than 1000 bytes, which is the limit"},
	} {
		t.Run(c.path, func(t *testing.T) {
			err := fetch(t, f, sandbox(t), uri(strings.Replace(w.URL, "//", "//me:secret@", 1)+c.path+"?token=secret"))
			require.ErrorContains(t, err, c.error)
			require.ErrorContains(t, err, c.path)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		err := fetch(t, f, sandbox(t), uri("http://127.0.0.1:1/a?token=secret"))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.NotContains(t, err.Error(), "secret")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		slow := newFetcher(t, Config{})
		go func() { done <- slow.Fetch(ctx, Request{Command: command(uri(w.URL + "/slow")), Sandbox: sandbox(t)}) }()
		require.Eventually(t, func() bool { return w.times("/slow") == 2 }, 10*time.Second, time.Millisecond)
		why := errors.New("the container is destroyed")
		cancel(why)
		require.ErrorIs(t, <-done, why)
	})
	t.Run("files of this machine that are none", func(t *testing.T) {
		pipe := filepath.Join(t.TempDir(), "pipe")
		require.NoError(t, syscall.Mkfifo(pipe, 0o600))
		require.ErrorContains(t, fetch(t, f, sandbox(t), uri(pipe)), "it is not a regular file")
		require.ErrorContains(t, fetch(t, f, sandbox(t), uri(filepath.Dir(pipe))), "it is not a regular file")
		require.ErrorContains(t, fetch(t, f, sandbox(t), uri("/nowhere/x")), "/nowhere/x: no such file or directory")
	})
	t.Run("no sandbox, no user", func(t *testing.T) {
		require.ErrorContains(t, fetch(t, f, "/nowhere", uri("/etc/passwd")), "sandbox: ")
		if os.Geteuid() == 0 {
			err := f.Fetch(t.Context(), Request{Command: command(uri("/etc/passwd")), Sandbox: sandbox(t), User: "no-such-user"})
			require.ErrorContains(t, err, "user of the task: ")
		}
	})
}

func TestArchives(t *testing.T) {
	w := newWeb(t)
	packed := tarOf(t, tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}, tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o755},
		file("dir/a", "hello"), file("/top", "absolute"), link("dir/l", "../top"), hard("dir/h", "dir/a"), file("dir/a/../b", "cleaned"))
	want := map[string]string{"dir/a": "hello", "top": "absolute", "dir/l": "-> ../top", "dir/h": "hello", "dir/b": "cleaned"}
	bz, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWbeXboMAAG57gMmAAAJAAOcAAAhmZJ4ACAggAFQ0SZMmTJpkxpqCSRDTTTJkAaX2iOQg6wQhEu55lJRggQwMZTeJ7CKuQZXo6G02sFU9wuMoMoqrMiID8XckU4UJC3l26DA=")
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		data []byte
		want map[string]string
	}{
		{"a.tar", packed, want},
		{"a.tar.gz", gzipped(t, packed), want},
		{"a.tgz", gzipped(t, packed), want},
		{"a.tar.xz", xzipped(t, packed), want},
		{"a.txz", append(xzipped(t, packed), 0, 0, 0, 0), want},
		{"a.tar.bz2", bz, map[string]string{"dir/a": "hello"}},
		{"a.tbz2", bz, map[string]string{"dir/a": "hello"}},
		{"a.txt.gz", gzipped(t, []byte("alone")), map[string]string{"a.txt": "alone"}},
		{"a.zip", zipOf(t, zipEntry{"dir/", "", fs.ModeDir | 0o755}, zipEntry{"dir/a", "hello", 0o600}, zipEntry{"l", "dir/a", fs.ModeSymlink | 0o777}),
			map[string]string{"dir/a": "hello", "l": "-> dir/a"}},
		{"a.txt", []byte("as it is"), map[string]string{}},
	} {
		for _, cached := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				f := newFetcher(t, Config{CacheDir: t.TempDir()})
				folder := sandbox(t)
				w.files["/"+c.name] = c.data
				u := uri(w.URL + "/" + c.name)
				u.Cache = &cached
				require.NoError(t, fetch(t, f, folder, u))
				found := tree(t, folder)
				if !cached || c.name == "a.txt" { // the archive itself is there, but for one that is unpacked from the cache
					assert.Equal(t, string(c.data), found[c.name])
					delete(found, c.name)
				}
				assert.Equal(t, c.want, found)
			})
		}
	}
	t.Run("is left as it is without extract", func(t *testing.T) {
		f := newFetcher(t, Config{})
		folder := sandbox(t)
		u := uri(w.URL + "/a.tar")
		u.Extract = new(false)
		require.NoError(t, fetch(t, f, folder, u))
		assert.Equal(t, map[string]string{"a.tar": string(packed)}, tree(t, folder))
	})
	t.Run("modes: no more than permissions, and folders stay open to their owner", func(t *testing.T) {
		f := newFetcher(t, Config{})
		folder := sandbox(t)
		run := file("d/run", "x")
		run.Mode = 0o4755
		w.files["/m.tar"] = tarOf(t, tar.Header{Name: "d", Typeflag: tar.TypeDir, Mode: 0o500}, run)
		require.NoError(t, fetch(t, f, folder, uri(w.URL+"/m.tar")))
		info, err := os.Stat(filepath.Join(folder, "d", "run"))
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o755), info.Mode())
		info, err = os.Stat(filepath.Join(folder, "d"))
		require.NoError(t, err)
		assert.Equal(t, fs.ModeDir|0o700, info.Mode())
	})
}

func TestArchivesThatAreRefused(t *testing.T) {
	w := newWeb(t)
	zeros := make([]byte, 1<<20)
	large := xzipped(t, []byte("x"))
	large[12+4] = 40 // the dictionary, in the header of the first block: 4 GB
	for _, c := range []struct {
		name  string
		data  []byte
		error string
	}{
		{"up.tar", tarOf(t, file("../up", "x")), "../up: it leads out of the sandbox"},
		{"up2.tar", tarOf(t, file("a/../../up", "x")), "it leads out of the sandbox"},
		{"link.tar", tarOf(t, link("l", "/etc/passwd")), `l: the link to "/etc/passwd" leads out of the sandbox`},
		{"link2.tar", tarOf(t, link("d/l", "../../x")), "leads out of the sandbox"},
		{"link3.tar", tarOf(t, link("l", "a/../../x")), `the link to "a/../../x" is not plain`},
		{"link4.tar", tarOf(t, link("l", "")), "leads out of the sandbox"},
		{"through.tar", tarOf(t, link("d", "."), link("d/l", "..")), "d above it is a link"},
		{"through2.tar", tarOf(t, link("d", "."), hard("d/l", "d")), `the link to "d" is to no file`},
		{"hard.tar", tarOf(t, hard("l", "../../etc/passwd")), "leads out of the sandbox"},
		{"hard2.tar", tarOf(t, hard("l", "nothing")), "l: "},
		{"device.tar", tarOf(t, tar.Header{Name: "d", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}), "an entry of type '3', which is not unpacked"},
		{"bomb.tar.gz", gzipped(t, tarOf(t, file("zeros", string(zeros)))), "zeros: the archive unpacks to more bytes than are allowed"},
		{"bombs.tgz", gzipped(t, tarOf(t, file("a", string(zeros[:60_000])), file("b", string(zeros[:60_000])))), "b: the archive unpacks to more bytes"},
		{"bomb.gz", gzipped(t, zeros), "the archive unpacks to more bytes than are allowed"},
		{"bomb.tar.xz", xzipped(t, tarOf(t, file("zeros", string(zeros)))), "unpacks to more bytes"},
		{"bomb.zip", zipOf(t, zipEntry{"zeros", string(zeros), 0o600}), "unpacks to more bytes"},
		{"many.tar.gz", gzipped(t, tarOf(t, file("1", ""), file("2", ""), file("3", ""), file("4", ""))), "4: the archive has more entries than are allowed"},
		{"many.zip", zipOf(t, zipEntry{"1", "", 0o600}, zipEntry{"2", "", 0o600}, zipEntry{"3", "", 0o600}, zipEntry{"4", "", 0o600}), "more entries"},
		{"dictionary.tar.xz", large, "it wants 4294967295 bytes of memory to be unpacked"},
		{"up.zip", zipOf(t, zipEntry{"../up", "x", 0o600}), "it leads out of the sandbox"},
		{"link.zip", zipOf(t, zipEntry{"l", "/etc", fs.ModeSymlink | 0o777}), "leads out of the sandbox"},
		{"longlink.zip", zipOf(t, zipEntry{"l", strings.Repeat("x", maxLink+1), fs.ModeSymlink | 0o777}), "the target of the link is too long"},
		{"pipe.zip", zipOf(t, zipEntry{"p", "", fs.ModeNamedPipe | 0o600}), "which is not unpacked"},
		{"no.tar", []byte(strings.Repeat("no tar", 200)), "unpack: "},
		{"no.tgz", []byte("no gzip"), "unpack: "},
		{"no.tar.bz2", []byte("no bzip2"), "unpack: "},
		{"no.txz", []byte("no xz"), "this is not an xz file"},
		{"no.zip", []byte("no zip"), "unpack: "},
		{"cut.tar.gz", gzipped(t, tarOf(t, file("a", "hello")))[:60], "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFetcher(t, Config{MaxBytes: 100_000, MaxEntries: 3})
			folder := sandbox(t)
			w.files["/"+c.name] = c.data
			if len(c.data) > 100_000 {
				f.config.MaxBytes = int64(len(c.data))
			}
			err := fetch(t, f, folder, uri(w.URL+"/"+c.name))
			require.ErrorContains(t, err, c.error)
			require.NoFileExists(t, filepath.Join(filepath.Dir(folder), "up"))
		})
	}
	t.Run("a zip file that is all index costs no memory", func(t *testing.T) {
		index := &indexReader{from: bytes.NewReader(make([]byte, 100)), left: 50}
		_, err := index.ReadAt(make([]byte, 50), 0)
		require.NoError(t, err)
		_, err = index.ReadAt(make([]byte, 1), 0)
		require.ErrorContains(t, err, "the index is larger than")
		_, err = zip.NewReader(&indexReader{from: bytes.NewReader(zipOf(t, zipEntry{"a", "", 0o600})), left: 10}, 100)
		require.Error(t, err)
	})
	t.Run("an xz file cut anywhere is no crash", func(t *testing.T) {
		whole := xzipped(t, []byte("hello"))
		for cut := range len(whole) {
			name := filepath.Join(t.TempDir(), "x")
			require.NoError(t, os.WriteFile(name, whole[:cut], 0o600))
			file, err := os.Open(name)
			require.NoError(t, err)
			require.Error(t, checkXZ(file), cut)
			require.NoError(t, file.Close())
		}
	})
}

func TestTheTasksUser(t *testing.T) {
	if os.Geteuid() != 0 {
		owner, err := ownerOf("nobody")
		require.NoError(t, err)
		assert.False(t, owner.switches, "only root can act for others")
		return
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	w := newWeb(t)
	w.files["/a.tar"] = tarOf(t, file("d/a", "hello"))
	private := filepath.Join(t.TempDir(), "private")
	require.NoError(t, os.WriteFile(private, []byte("secret"), 0o600))
	request := func(folder string, cache bool, uris ...string) Request {
		r := Request{Container: &mesosv1.ContainerID{Value: new("c")}, Command: command(), Sandbox: folder, User: "nobody"}
		for _, u := range uris {
			r.Command.Uris = append(r.Command.Uris, &mesosv1.CommandInfo_URI{Value: &u, Cache: &cache})
		}
		return r
	}
	for _, cached := range []bool{false, true} {
		f := newFetcher(t, Config{CacheDir: t.TempDir()})
		folder := sandbox(t)
		require.NoError(t, f.Fetch(t.Context(), request(folder, cached, w.URL+"/a.tar")))
		for _, name := range []string{"d", "d/a"} {
			info, err := os.Stat(filepath.Join(folder, name))
			require.NoError(t, err)
			stat := info.Sys().(*syscall.Stat_t)
			assert.Equal(t, nobody.Uid+" "+nobody.Gid, ids(stat), "%s belongs to the user", name)
		}
		err := f.Fetch(t.Context(), request(folder, cached, private))
		require.ErrorIs(t, err, fs.ErrPermission, "what the user may not read, he does not get")
	}
	f := newFetcher(t, Config{})
	require.NoError(t, fetch(t, f, sandbox(t), uri(private)), "the agent's own rights have come back")
	require.ErrorIs(t, f.Fetch(t.Context(), request(t.TempDir(), false, w.URL+"/a.tar")), fs.ErrPermission, "a sandbox of somebody else")
}

func ids(stat *syscall.Stat_t) string { return fmt.Sprint(stat.Uid, " ", stat.Gid) }

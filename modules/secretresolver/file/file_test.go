package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/secretresolver/file"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// reference reads "name" or "name key".
func reference(text string) *mesosv1.Secret {
	r := &mesosv1.Secret_Reference{}
	name, key, has := strings.Cut(text, " ")
	if r.Name = &name; has {
		r.Key = &key
	}
	return &mesosv1.Secret{Type: mesosv1.Secret_REFERENCE.Enum(), Reference: r}
}

// folder has secrets, and beside it what is none of them.
func folder(t *testing.T) string {
	t.Helper()
	outside := t.TempDir()
	root := filepath.Join(outside, "root")
	write := func(name, content string, mode os.FileMode) {
		path := filepath.Join(outside, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		require.NoError(t, os.Chmod(path, mode)) // whatever the umask
	}
	link := func(to, name string) { require.NoError(t, os.Symlink(to, filepath.Join(root, name))) }
	write("outside", "s3cret", 0o600)
	write("root/plain", "s3cret", 0o600)
	write("root/line", "s3cret\n", 0o600)
	write("root/crlf", "s3cret\r\n", 0o600)
	write("root/lines", "s3cret\n\n", 0o600)
	write("root/empty", "", 0o600)
	write("root/newline", "\n", 0o600)
	write("root/folder/key", "s3cret", 0o640)
	write("root/readable", "s3cret", 0o644)
	write("root/writable", "s3cret", 0o602)
	write("root/full", strings.Repeat("x", 16), 0o600)
	write("root/large", strings.Repeat("x", 17), 0o600)
	link("plain", "link")
	link("../outside", "way-out")
	link(filepath.Join(outside, "outside"), "long-way-out")
	link("nowhere", "dangling")
	link("loop", "loop")
	require.NoError(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600))
	return root
}

func load(t *testing.T, options ...moduletest.Option) (*moduletest.Kit, secretresolver.SecretResolver) {
	kit := moduletest.New(t, file.Library, options...)
	return kit, moduletest.Load[secretresolver.SecretResolver](kit, file.Name)
}

func parameter(key, value string) moduletest.Option {
	return moduletest.Parameter(file.Name, key, value)
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, file.Library, file.Name, parameter("root", t.TempDir()))
}

func TestResolve(t *testing.T) {
	root := folder(t)
	kit, r := load(t, parameter("root", root), parameter("max_size", "16B"))
	_, exposed := load(t, parameter("root", root), parameter("allow_world_readable", "true"), parameter("keep_newline", "true"))
	for _, c := range []struct {
		name, secret string
		of           secretresolver.SecretResolver
		want, err    string
	}{
		{"a name is a file", "plain", r, "s3cret", ""},
		{"a file may be in a folder", "folder/key", r, "s3cret", ""},
		{"a key is a file in the folder of the name", "folder key", r, "s3cret", ""},
		{"the line end at the end is not part of it", "line", r, "s3cret", ""},
		{"nor is that of other systems", "crlf", r, "s3cret", ""},
		{"but only one", "lines", r, "s3cret\n", ""},
		{"unless told otherwise", "line", exposed, "s3cret\n", ""},
		{"a link within the folder is followed", "link", r, "s3cret", ""},
		{"a file of just the size is read", "full", r, strings.Repeat("x", 16), ""},
		{"a larger one is not", "large", r, "", "larger than 16B (max_size)"},
		{"one that is not there", "gone", r, "", "no such file"},
		{"one that is empty", "empty", r, "", "its file is empty"},
		{"one that is nothing but a line end", "newline", r, "", "its file is empty"},
		{"one that everybody reads", "readable", r, "", "everybody may read its file"},
		{"unless that is allowed", "readable", exposed, "s3cret", ""},
		{"one that everybody writes, always", "writable", exposed, "", "everybody may write its file"},
		{"a folder", "folder", r, "", "it is no file"},
		{"a pipe that nobody writes", "pipe", r, "", "it is no file"},
		{"a link that leads nowhere", "dangling", r, "", "no such file"},
		{"a link to itself", "loop", r, "", "too many levels"},
		{"a link that leads outside", "way-out", r, "", "escapes"},
		{"a long one", "long-way-out", r, "", "escapes"},
		{"the way up", "../outside", r, "", "no plain name"},
		{"the way up by a key", "folder ../../outside", r, "", "no plain name"},
		{"a way about", "folder/../plain", r, "", "no plain name"},
		{"an absolute path", filepath.Join(root, "plain"), r, "", "no plain name"},
		{"an empty key", "folder ", r, "", "no plain name"},
		{"the folder itself", ".", r, "", "it is no file"},
		{"a zero byte", "pl\x00ain", r, "", "invalid argument"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.of.Resolve(t.Context(), reference(c.secret))
			if c.err == "" {
				require.NoError(t, err)
				assert.Equal(t, c.want, string(got.GetData()))
				return
			}
			require.ErrorContains(t, err, c.err)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
	t.Run("a secret that comes with its value is that", func(t *testing.T) {
		got, err := r.Resolve(t.Context(), &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte("v")}})
		require.NoError(t, err)
		assert.Equal(t, "v", string(got.GetData()))
	})
	t.Run("nothing is read when nobody waits any more", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.Resolve(ctx, reference("plain"))
		require.ErrorIs(t, err, context.Canceled)
	})
	assert.Empty(t, kit.Shown("s3cret"))
}

func TestFolderThatChanges(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	put := func(t *testing.T, version string) {
		t.Helper()
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "key"), []byte(version), 0o600))
		require.NoError(t, os.Symlink(version, root+".new"))
		require.NoError(t, os.Rename(root+".new", root))
	}
	put(t, "v1")
	_, r := load(t, parameter("root", root))
	got, err := r.Resolve(t.Context(), reference("key"))
	require.NoError(t, err)
	assert.Equal(t, "v1", string(got.GetData()))
	t.Run("another folder in its place holds at once", func(t *testing.T) {
		put(t, "v2")
		got, err := r.Resolve(t.Context(), reference("key"))
		require.NoError(t, err)
		assert.Equal(t, "v2", string(got.GetData()))
	})
	t.Run("a folder that has gone is an error, until it is back", func(t *testing.T) {
		require.NoError(t, os.Remove(root))
		_, err := r.Resolve(t.Context(), reference("key"))
		require.ErrorContains(t, err, "no such file")
		put(t, "v3")
		_, err = r.Resolve(t.Context(), reference("key"))
		require.NoError(t, err)
	})
}

func TestWrongParameters(t *testing.T) {
	here := t.TempDir()
	plain := filepath.Join(here, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	for _, c := range []struct {
		name string
		p    []moduletest.Option
		want string
	}{
		{"no folder", nil, "root"},
		{"a path that is not absolute", []moduletest.Option{parameter("root", "secrets")}, "no absolute path"},
		{"a folder that is not there", []moduletest.Option{parameter("root", filepath.Join(here, "gone"))}, "no such file"},
		{"a file", []moduletest.Option{parameter("root", plain)}, "it is no folder"},
		{"no size", []moduletest.Option{parameter("root", here), parameter("max_size", "0B")}, "max_size is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[secretresolver.SecretResolver](moduletest.New(t, file.Library, c.p...), file.Name)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func Example() {
	dir, _ := os.MkdirTemp("", "secrets")
	defer os.RemoveAll(dir)
	_ = os.WriteFile(filepath.Join(dir, "db"), []byte("tanstaaf\n"), 0o600)

	instance, _ := file.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{{Key: "root", Value: dir}})
	value, _ := instance.(secretresolver.SecretResolver).Resolve(context.Background(), &mesosv1.Secret{
		Type: mesosv1.Secret_REFERENCE.Enum(), Reference: &mesosv1.Secret_Reference{Name: proto.String("db")},
	})
	fmt.Printf("%q\n", value.GetData())
	// Output: "tanstaaf"
}

package registry

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/master/core"
)

// filled makes a registry with n agents in a folder and returns its content.
func filled(t *testing.T, folder string, n int) string {
	t.Helper()
	r, err := Open(folder)
	require.NoError(t, err)
	_, err = r.Recover(t.Context(), masterInfo("m"))
	require.NoError(t, err)
	changes := make([]core.RegistryChange, n)
	for i := range changes {
		changes[i] = core.AdmitAgent{Info: agentInfo(fmt.Sprintf("S%06d", i))}
	}
	_, err = r.Apply(t.Context(), changes)
	require.NoError(t, err)
	all := content(t, r)
	require.NoError(t, r.Close(t.Context()))
	return all
}

// reread opens the registry and reads it.
func reread(t *testing.T, folder string) (string, error) {
	t.Helper()
	r, err := Open(folder)
	if err != nil {
		return "", err
	}
	found, err := r.Export(t.Context())
	if err := r.Close(t.Context()); err != nil {
		return "", err
	}
	if err != nil {
		return "", err
	}
	return asJSON(t, found), nil
}

func TestDamage(t *testing.T) {
	sound := t.TempDir()
	all := filled(t, sound, 500)
	image, err := os.ReadFile(filepath.Join(sound, FileName))
	require.NoError(t, err)
	require.Greater(t, len(image), 16<<12, "there is something to damage")

	with := func(t *testing.T, image []byte) (string, error) {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, FileName), image, 0o600))
		got, err := reread(t, folder)
		if err != nil {
			var damaged *DamagedError
			require.ErrorAs(t, err, &damaged)
			assert.Equal(t, filepath.Join(folder, FileName), damaged.File)
			assert.ErrorContains(t, err, "Put a copy of it in its place")
		}
		return got, err
	}
	t.Run("a copy is as good", func(t *testing.T) {
		got, err := with(t, image)
		require.NoError(t, err)
		assert.Equal(t, all, got)
	})
	for _, size := range []int{0, 1, 100, 4096, 8192, 3 * 4096, 5*4096 + 17, len(image) / 2} {
		t.Run(fmt.Sprintf("cut to %d bytes", size), func(t *testing.T) {
			_, err := with(t, image[:size])
			require.Error(t, err)
		})
	}
	t.Run("another kind of file", func(t *testing.T) {
		_, err := with(t, []byte(strings.Repeat("hello ", 10000)))
		require.Error(t, err)
	})
	t.Run("pages of nothing", func(t *testing.T) {
		_, err := with(t, append(image[:2*4096:2*4096], make([]byte, len(image)-2*4096)...))
		require.Error(t, err)
	})
	// Pages that are free, and the older of the two heads, may hold anything. So a
	// changed byte is found or does not matter, and never makes another registry.
	found := 0
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 1))
		changed := append([]byte(nil), image...)
		place := 2*4096 + random.IntN(len(image)-2*4096)
		changed[place] ^= byte(1 + random.IntN(255))
		got, err := with(t, changed)
		if err != nil {
			found++
			continue
		}
		require.Equal(t, all, got, "seed %d: byte %d", seed, place)
	}
	assert.Greater(t, found, 15, "most of the file matters")
}

func TestFormatOfTheFuture(t *testing.T) {
	folder := t.TempDir()
	r := inFolder(t, folder)
	require.NoError(t, r.store.update(func(t tx) error {
		b := &books{tx: t}
		if err := b.put(general, formatKey, []byte("2")); err != nil {
			return err
		}
		return b.finish()
	}))
	_, err := r.Recover(t.Context(), masterInfo("m"))
	require.EqualError(t, err, `recovering the registry: `+filepath.Join(folder, FileName)+`: its format is "2", and this master knows "1" only: start the master that wrote it`)
}

func TestSecondMaster(t *testing.T) {
	folder := t.TempDir()
	inFolder(t, folder)
	_, err := Open(folder)
	require.EqualError(t, err, "opening the registry: "+filepath.Join(folder, FileName)+
		" is in use: another master runs on the same --work_dir; end it, or give this one a folder of its own")
}

func TestMastersThatStartAtOnce(t *testing.T) {
	folder := t.TempDir()
	var mu sync.Mutex
	var winners []*Registrar
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			r, err := Open(folder)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				assert.ErrorContains(t, err, "another master runs on the same --work_dir")
				return
			}
			winners = append(winners, r)
		})
	}
	wg.Wait()
	require.Len(t, winners, 1)
	require.NoError(t, winners[0].Close(t.Context()))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left but the registry")
}

func TestWhatAKilledMasterLeftIsRemoved(t *testing.T) {
	folder := t.TempDir()
	left := filepath.Join(folder, ".new-1234")
	require.NoError(t, os.MkdirAll(left, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(left, FileName), []byte("half"), 0o600))
	inFolder(t, folder)
	assert.NoDirExists(t, left)
}

func TestFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(filepath.Join(file, "registry"))
	require.ErrorContains(t, err, "opening the registry: ")
	require.ErrorIs(t, err, unix.ENOTDIR)
}

func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	all := filled(t, folder, 10)
	r, err := Open(folder)
	require.NoError(t, err)
	many := make([]core.RegistryChange, 5000)
	for i := range many {
		many[i] = core.AdmitAgent{Info: agentInfo(fmt.Sprintf("T%06d", i))}
	}
	restore := limitFiles(t, 64<<10)
	_, err = r.Apply(t.Context(), many)
	restore()
	require.ErrorContains(t, err, "changing the registry: "+filepath.Join(folder, FileName))
	require.ErrorContains(t, err, unix.EFBIG.Error())

	t.Run("nothing of it is kept, and the next change is", func(t *testing.T) {
		assert.Equal(t, all, content(t, r))
		require.NoError(t, apply(t, r, core.RemoveAgent{ID: agentID("S000000")}))
		all = content(t, r)
		require.NoError(t, r.Close(t.Context()))
		got, err := reread(t, folder)
		require.NoError(t, err)
		assert.Equal(t, all, got)
	})
}

// limitFiles makes files of this process fail to grow, as on a disk that is full, but
// for whoever is not root too.
func limitFiles(t *testing.T, bytes uint64) (restore func()) {
	t.Helper()
	var before unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &before))
	limit := before
	limit.Cur = bytes
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &limit))
	return func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &before)) }
}

// TestKill kills a process that changes a registry, at a random change and moment,
// and again the one that goes on with it: what was answered is there.
func TestKill(t *testing.T) {
	const seeds = 20
	folder := filepath.Join(t.TempDir(), "registry")
	kept := -1
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 2))
		kept = max(kept, killAfter(t, folder, 1+random.IntN(12)))

		r, err := Open(folder)
		require.NoError(t, err, "seed %d", seed)
		found, err := r.Export(t.Context())
		require.NoError(t, err, "seed %d", seed)
		require.NoError(t, r.Close(t.Context()))

		there := map[string]bool{}
		for _, a := range found.GetSlaves().GetSlaves() {
			there[a.GetInfo().GetId().GetValue()] = true
		}
		for _, a := range found.GetUnreachable().GetSlaves() {
			there[a.GetId().GetValue()] = true
		}
		for i := range kept + 1 {
			require.True(t, there[fmt.Sprintf("S%06d", i)], "seed %d: change %d was answered and is lost", seed, i)
		}
		require.LessOrEqual(t, len(there), kept+2, "seed %d: one change at most was under way", seed)
	}
	assert.Positive(t, kept)
}

// killAfter starts a victim, kills it once it has said that n changes are kept, and
// returns the last one it said.
func killAfter(t *testing.T, folder string, n int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimOf+"="+folder)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	last := -1
	lines := bufio.NewScanner(out)
	for said := 0; lines.Scan(); {
		i, err := strconv.Atoi(lines.Text())
		require.NoError(t, err, lines.Text())
		last = i
		if said++; said == n {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	err = cmd.Wait()
	require.EqualError(t, err, "signal: killed")
	return last
}

func BenchmarkAdmit(b *testing.B) {
	for _, n := range []int{10, 50_000} {
		b.Run(fmt.Sprintf("beside %d agents", n), func(b *testing.B) {
			r, err := Open(b.TempDir())
			require.NoError(b, err)
			defer r.Close(b.Context())
			admit := func(prefix string, from, to int) {
				changes := make([]core.RegistryChange, 0, to-from)
				for i := from; i < to; i++ {
					changes = append(changes, core.AdmitAgent{Info: agentInfo(fmt.Sprintf("%s%08d", prefix, i))})
				}
				_, err := r.Apply(b.Context(), changes)
				require.NoError(b, err)
			}
			admit("S", 0, n)
			i := 0
			for b.Loop() {
				admit("T", i, i+1)
				i++
			}
		})
	}
}

func BenchmarkRecover(b *testing.B) {
	folder := b.TempDir()
	r, err := Open(folder)
	require.NoError(b, err)
	changes := make([]core.RegistryChange, 50_000)
	for i := range changes {
		changes[i] = core.AdmitAgent{Info: agentInfo(fmt.Sprintf("S%08d", i))}
	}
	_, err = r.Apply(b.Context(), changes)
	require.NoError(b, err)
	defer r.Close(b.Context())
	for b.Loop() {
		_, err := r.Recover(b.Context(), masterInfo("m"))
		require.NoError(b, err)
	}
}

package process

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// mmsModule is the Go module that an author's program has to be built with.
const mmsModule = "github.com/mesos-modules/mms"

// mark returns the first words of what serve.Main says. A program that has them in it
// serves a library: stripped or not, whatever its build info says. They are put together
// here so that a daemon, which looks for them, does not have them.
func mark() []byte {
	return []byte(strings.Join([]string{"mms", "process", "library/1: this program"}, "-"))
}

// Recognise implements vehicle.Vehicle. It answers for Go executables; libraries of other
// vehicles are theirs to recognise, also where they are going to be isolated. The
// description is not complete: Launch completes it.
func (v *Vehicle) Recognise(f vehicle.File) (vehicle.Description, bool, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return vehicle.Description{}, false, nil // the last one who is asked explains it
	}
	defer file.Close() //nolint:errcheck // nothing was written
	return recognise(file, f)
}

func recognise(file io.ReaderAt, f vehicle.File) (d vehicle.Description, mine bool, err error) {
	image, damage := elf.NewFile(file)
	if damage == nil && !executable(image) {
		return d, false, nil
	}
	served, err := contains(io.NewSectionReader(file, 0, f.Size), mark())
	switch {
	case damage != nil && served:
		return d, true, &vehicle.Refusal{Rule: finding.LibraryFormat, Problem: "the program is damaged: " + damage.Error(), Cause: damage,
			Mend: "copy or build it again"}
	case damage != nil:
		return d, false, nil
	case err != nil:
		return d, true, &vehicle.Refusal{Rule: finding.LibraryFile, Problem: "the program cannot be read: " + err.Error(), Cause: err,
			Mend: "see whether it is still being written"}
	}
	info, err := buildinfo.Read(file)
	if err != nil && !served {
		return d, false, nil // no program of Go's
	}
	d = vehicle.Description{Vehicle: vehicle.Process, Build: settings(info)}
	return d, true, asError(judge(image, info, served, f))
}

// judge says why a Go program cannot be used, or nil.
func judge(image *elf.File, info *debug.BuildInfo, served bool, f vehicle.File) *vehicle.Refusal {
	if !served {
		problem, mend := "the Go program serves no library", "let its main call serve.Main with the library, or build the library's package by mesos-module build --as=process"
		if info != nil && info.Main.Path != mmsModule && !depends(info) {
			problem = "the file is a Go program without any Mesos module in it"
		}
		return &vehicle.Refusal{Rule: finding.Handshake, Problem: problem, Mend: mend}
	}
	if machine := own(); machine != 0 && image.Machine != machine {
		return &vehicle.Refusal{Rule: finding.LibraryBuild,
			Problem: fmt.Sprintf("the program is for another machine: %v, and this one is %v", image.Machine, machine),
			Mend:    "build it with GOARCH=" + runtime.GOARCH}
	}
	for _, p := range image.Progs {
		if p.Type == elf.PT_LOAD && (p.Filesz > uint64(f.Size) || p.Off > uint64(f.Size)-p.Filesz) {
			return &vehicle.Refusal{Rule: finding.LibraryFormat,
				Problem: fmt.Sprintf("the program is cut short: it has %d bytes, and a segment ends at %d", f.Size, p.Off+p.Filesz),
				Mend:    "copy or build it again"}
		}
	}
	if f.Mode.Perm()&0o111 == 0 {
		return &vehicle.Refusal{Rule: finding.LibraryFile, Problem: "the program may not be run: no permission says so", Mend: "run chmod +x on it"}
	}
	return nil
}

// executable reports whether the kernel can run the file, rather than load it into a
// program. The C library can be both; it has a name to be linked by.
func executable(image *elf.File) bool {
	switch image.Type {
	case elf.ET_EXEC:
		return true
	case elf.ET_DYN:
		name, err := image.DynString(elf.DT_SONAME)
		if err != nil || len(name) > 0 {
			return false
		}
		if flags, err := image.DynValue(elf.DT_FLAGS_1); err == nil && len(flags) > 0 && elf.DynFlag1(flags[0])&elf.DF_1_PIE != 0 {
			return true
		}
		for _, p := range image.Progs {
			if p.Type == elf.PT_INTERP {
				return true
			}
		}
		return false
	default:
		return false
	}
}

func own() elf.Machine {
	switch runtime.GOARCH {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	default:
		return 0 // the kernel decides
	}
}

func depends(info *debug.BuildInfo) bool {
	for _, m := range info.Deps {
		if m.Path == mmsModule {
			return true
		}
	}
	return false
}

const (
	chunk       = 1 << 20
	maxSettings = 64
)

// contains looks for words in all of r.
func contains(r io.Reader, words []byte) (bool, error) {
	window := make([]byte, 0, chunk+len(words))
	for {
		n, err := io.ReadFull(r, window[len(window):len(window)+chunk])
		window = window[:len(window)+n]
		if bytes.Contains(window, words) {
			return true, nil
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return false, nil
		case err != nil:
			return false, err
		}
		// The words may begin in this piece and end in the next.
		window = window[:copy(window, window[len(window)-len(words)+1:])]
	}
}

// settings is what there is to show about the build: by what, of what, and how.
func settings(info *debug.BuildInfo) []vehicle.Setting {
	if info == nil {
		return nil
	}
	all := []vehicle.Setting{{Key: "go", Value: bounded(info.GoVersion)}}
	if info.Path != "" {
		all = append(all, vehicle.Setting{Key: "path", Value: bounded(info.Path)})
	}
	for _, m := range info.Deps {
		if m.Path == mmsModule {
			all = append(all, vehicle.Setting{Key: mmsModule, Value: bounded(m.Version)})
		}
	}
	for _, s := range info.Settings {
		if len(all) == maxSettings {
			break
		}
		all = append(all, vehicle.Setting{Key: bounded(s.Key), Value: bounded(s.Value)})
	}
	return all
}

// bounded makes a text from a file fit to be shown.
func bounded(text string) string {
	const longest = 1024
	if len(text) > longest {
		text = text[:longest]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// asError keeps a nil refusal from becoming an error that is not nil.
func asError(r *vehicle.Refusal) error {
	if r == nil {
		return nil
	}
	return r
}

package image

import (
	"debug/elf"
	"runtime"
	"strings"
)

// machine holds the relocation types that matter for data.
type machine struct {
	relative, irelative, absolute, globDat, jumpSlot uint32
}

var machines = map[elf.Machine]machine{
	elf.EM_X86_64: {
		relative: uint32(elf.R_X86_64_RELATIVE), irelative: uint32(elf.R_X86_64_IRELATIVE),
		absolute: uint32(elf.R_X86_64_64), globDat: uint32(elf.R_X86_64_GLOB_DAT), jumpSlot: uint32(elf.R_X86_64_JMP_SLOT),
	},
	elf.EM_AARCH64: {
		relative: uint32(elf.R_AARCH64_RELATIVE), irelative: uint32(elf.R_AARCH64_IRELATIVE),
		absolute: uint32(elf.R_AARCH64_ABS64), globDat: uint32(elf.R_AARCH64_GLOB_DAT), jumpSlot: uint32(elf.R_AARCH64_JUMP_SLOT),
	},
}

// Host is the machine this process runs on, EM_NONE where libraries cannot be
// read.
func Host() elf.Machine {
	switch runtime.GOARCH {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	default:
		return elf.EM_NONE
	}
}

// MachineName is the machine as people call it.
func MachineName(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "x86-64"
	case elf.EM_AARCH64:
		return "AArch64"
	case elf.EM_386:
		return "x86"
	case elf.EM_ARM:
		return "ARM"
	case elf.EM_RISCV:
		return "RISC-V"
	case elf.EM_PPC64:
		return "POWER"
	case elf.EM_S390:
		return "S/390"
	default:
		return strings.TrimPrefix(m.String(), "EM_")
	}
}

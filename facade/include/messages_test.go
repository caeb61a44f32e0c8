package include

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMessagesCompileWithoutWarnings(t *testing.T) {
	for name, flags := range map[string][]string{
		"g++ -std=c++11": nil, "g++ -std=c++14": nil, "g++ -std=c++17": nil, "g++ -std=c++20": nil, "clang++ -std=c++17": nil,
		"g++ -std=c++11 without exceptions and RTTI": {"-fno-exceptions", "-fno-rtti"},
	} {
		words := strings.Fields(name)
		if words[0] == "clang++" && len(compilers(t, "g++", "clang++")) == 1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{words[1], "-fsyntax-only"}, strict...)
			mustRun(t, words[0], append(append(args, flags...), "testdata/messages.cpp")...)
		})
	}
}

// What a library with messages exports is its own alone: nothing that a library with headers of another age could get.
func TestMessagesStayInTheirLibrary(t *testing.T) {
	t.Parallel()
	file, err := elf.Open(library(t, "g++", "-std=c++20", "testdata/messages.cpp"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	symbols, err := file.DynamicSymbols()
	require.NoError(t, err)
	require.NotEmpty(t, symbols)
	for _, s := range symbols {
		assert.NotEqual(t, elf.STB_LOOS, elf.ST_BIND(s.Info), "%s is STB_GNU_UNIQUE, shared by libraries that must not share it", s.Name)
		if s.Section == elf.SHN_UNDEF {
			continue
		}
		for _, hidden := range []string{"5Codec", "6Reader", "6Writer", "Table", "5NamesI"} {
			assert.NotContains(t, s.Name, "mesos4wire"+hidden)
		}
	}
}

// A program that only reads and writes messages needs nothing of the module system.
func TestMessagesInJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "json.cpp"), filepath.Join(dir, "json")
	require.NoError(t, os.WriteFile(source, []byte(`#include <mesos/json.hpp>
#include <mesos/slave/containerizer.hpp>
#include <cstdio>
int main(int, char** argv) {
  mesos::slave::ContainerLimitation limitation;
  std::string problem;
  const bool good = mesos::from_json(argv[1], limitation, &problem);
  std::puts(good ? mesos::to_json(limitation).c_str() : problem.c_str());
}
`), 0o600))
	mustRun(t, "g++", "-std=c++11", "-I.", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", program, source)
	for text, want := range map[string]string{
		`{"message":"a\tb\u00e4","reason":"REASON_CONTAINER_LIMITATION"}`:                                          `{"message":"a\u0009bä","reason":"REASON_CONTAINER_LIMITATION"}`,
		`{"resources":{"name":"mem","type":"SCALAR","scalar":{"value":"64"}}}`:                                     `{"resources":[{"name":"mem","type":"SCALAR","scalar":{"value":64.0}}]}`,
		`{"resources":[{"name":"x","type":"RANGES","ranges":{"range":[{"begin":1,"end":18446744073709551615}]}}]}`: `{"resources":[{"name":"x","type":"RANGES","ranges":{"range":[{"begin":1,"end":18446744073709551615}]}}]}`,
		`{"resources":[{"name":"x"}]}`:      "resources.type: a required field is not there",
		`{"message":{}}`:                    "message: it is no text",
		`{"message":"`:                      "it is no JSON: a text does not end",
		``:                                  "it is no JSON: it ends where a value should be",
		`nul`:                               "it is no JSON: a word is none of true, false and null",
		`{"a":1 "b":2}`:                     "it is no JSON: an object does not end",
		`{1:2}`:                             "it is no JSON: an object lacks a key or a colon",
		`[1,`:                               "it is no JSON: it ends where a value should be",
		`{"a":-}`:                           "it is no JSON: a number lacks a digit",
		strings.Repeat(`{"a":`, 300) + "1":  "it is no JSON: it is nested too deep",
		`"text"`:                            "it is no object",
		`{"message":"\u00"}`:                `it is no JSON: a text has \u without four digits behind it`,
		`{"message":"\ud800\u0041"}`:        "it is no JSON: a text has half of a character",
		`{"message":"\uD83D\uDE00 \uffff"}`: "{\"message\":\"😀 \uffff\"}",
	} {
		assert.Equal(t, want+"\n", mustRun(t, program, text), "%.80s", text)
	}
}

// A library made with headers in which a role has fewer methods, of messages too, keeps its shorter table.
func TestOlderHeadersOfARoleWithMessages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, Files))
	drop := func(path string, from, to string) {
		text, err := os.ReadFile(filepath.Join(dir, path))
		require.NoError(t, err)
		before, rest, found := strings.Cut(string(text), from)
		require.True(t, found, path)
		_, behind, found := strings.Cut(rest, to)
		require.True(t, found, path)
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(before+to+behind), 0o600))
	}
	drop("mesos/roles/hook.h", "  /* since 1.12.0 */\n  int32_t (*slave_resources_decorator)", "} mesos_hook_table;")
	drop("hook.hpp", "    &HookTable<T>::slave_resources_decorator,\n", "};\n")
	drop("hook.hpp", "  static int32_t slave_resources_decorator(", "};\n\ntemplate <typename T>\nMESOS_CONSTANT_")
	source := filepath.Join(dir, "old.cpp")
	require.NoError(t, os.WriteFile(source, []byte("#include <hook.hpp>\nMESOS_MODULE_LIBRARY()\nclass H : public Hook {};\nMESOS_MODULE(Hook, h) { return new H(); }\n"), 0o600))
	h := host(t)
	for _, c := range []struct {
		include string
		size    string
	}{{dir, "table Hook 96"}, {".", "table Hook 112"}} {
		path := filepath.Join(t.TempDir(), "libhook.so")
		mustRun(t, "g++", "-std=c++17", "-fPIC", "-shared", "-I"+c.include, "-o", path, source)
		assert.Contains(t, mustRun(t, h, path, "mesos_module_h"), c.size)
	}
}

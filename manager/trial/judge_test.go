package trial

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuote(t *testing.T) {
	long := strings.Repeat("x", 2*maxMessage)
	for _, c := range []struct{ name, printed, want string }{
		{"nothing", "", ""},
		{"blank", " \n\t\n", ""},
		{"a line", "no licence\n", "; it said: no licence"},
		{"lines", "a\r\nb\n\nc", "; it said: a | b | c"},
		{"what a terminal would act on", "\x1b[31mred\x07 \xff", "; it said: [31mred  \uFFFD"},
		{"a panic behind other output", "hello\npanic: old\n\ngoroutine 1\npanic: boom\n\tsecond line\n\ngoroutine 7 [running]:\nmain.main()", "; it said: panic: boom | second line"},
		{"a fatal error", "fatal error: concurrent map writes\n\ngoroutine 7", "; it said: fatal error: concurrent map writes"},
		{"the end of much", long + "end", "; it said: " + long[:maxMessage-3] + "end"},
		{"the head of a long panic", "panic: " + long, "; it said: panic: " + long[:maxMessage-7]},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, quote(c.printed)) })
	}
}

func TestJudgeBetweenTwoLibraries(t *testing.T) {
	output, err := memoryFile("output", maxOutput)
	require.NoError(t, err)
	defer output.Close()
	_, err = output.WriteString("bye")
	require.NoError(t, err)

	s := &session{requests: make([]Request, 3), verdicts: make([]Verdict, 3), next: 1, output: output}
	n, err := s.judge(ended, &os.ProcessState{})
	require.NoError(t, err)
	assert.Equal(t, 1, n, "the second is tried again, by a fresh child")
	require.EqualError(t, s.verdicts[0].Err,
		"the library ended the trial process with exit status 0 just after it was opened; it said: bye; look at what the library runs while it is opened")
	require.NoError(t, s.verdicts[1].Err)
}

func TestMemoryFileDoesNotGrow(t *testing.T) {
	f, err := memoryFile("output", 4096)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Write(make([]byte, 4096))
	require.NoError(t, err)
	_, err = f.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrPermission)
	require.Error(t, f.Truncate(1))
}

func TestReportsThatMakeNoSense(t *testing.T) {
	for name, line := range map[string]string{
		"no JSON": "junk", "an end without a begin": `{"index":0,"end":true}`,
		"another library": `{"index":1}`, "none": `{"index":-1}`, "wrong types": `{"index":"0"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{requests: make([]Request, 2), verdicts: make([]Verdict, 2)}
			require.ErrorIs(t, s.take([]byte(line)), errDisturbed)
		})
	}
}

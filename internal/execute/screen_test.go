package execute

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, terminal := &text{}, &text{}
		s := newScreen(out, terminal, false)
		s.wait("waiting for an offer")
		<-time.After(time.Second)
		s.progress()
		assert.Empty(t, terminal.String(), "what is no terminal shows none")

		s.terminal = true
		s.wait("waiting for the master")
		<-time.After(100 * time.Millisecond)
		s.progress()
		assert.Empty(t, terminal.String(), "what takes no time is not shown")
		<-time.After(3 * time.Second)
		s.progress()
		assert.Equal(t, "\r\x1b[2K⠙ waiting for the master, 3s", terminal.String())
		s.say("Subscribed")
		assert.Equal(t, "Subscribed\n", out.String())
		assert.Equal(t, "\r\x1b[2K⠙ waiting for the master, 3s\r\x1b[2K", terminal.String(), "it gives way to what is said")
		s.warn("careful")
		s.wait("")
		s.progress()
		assert.Equal(t, "\r\x1b[2K⠙ waiting for the master, 3s\r\x1b[2Kmesos-execute: careful\n", terminal.String())
	})
}

func TestPrefixes(t *testing.T) {
	out := &text{}
	l := &lines{screen: newScreen(out, out, false), to: out, prefix: "[a] "}
	for _, part := range []string{"one\ntw", "o\n", "\n", "thr"} {
		l.write([]byte(part))
	}
	assert.Equal(t, "[a] one\n[a] two\n[a] \n", out.String(), "a line comes in one piece")
	l.write([]byte("ee"))
	l.end()
	l.end()
	assert.Equal(t, "[a] one\n[a] two\n[a] \n[a] three\n", out.String())
	l.write(bytes.Repeat([]byte("x"), longest+1))
	assert.Equal(t, len("[a] one\n[a] two\n[a] \n[a] three\n[a] \n")+longest+1, len(out.String()), "one without an end is cut")
}

package recordio_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/recordio"
)

// all reads to the end, and returns what was read and the error that ended it, nil for a clean end.
func all(t testing.TB, r io.Reader, limit int) ([]string, error) {
	t.Helper()
	reader := recordio.NewReader(r, limit)
	records := []string{}
	for {
		record, err := reader.Next()
		if err != nil {
			again, same := reader.Next()
			assert.Nil(t, again, "after the end there is nothing")
			assert.Equal(t, err, same, "the first error is the last word")
		}
		if err == io.EOF { // as the io.Reader contract has it: not wrapped
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, string(record))
	}
}

func TestReader(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		records      []string
	}{
		{"an empty stream has no record", "", []string{}},
		{"records follow each other with nothing between", "5\nhello6\nworld!", []string{"hello", "world!"}},
		{"a record may hold anything", "4\n1\n\n\x003\nabc", []string{"1\n\n\x00", "abc"}},
		{"a length of zero is an empty record", "0\n1\na0\n", []string{"", "a", ""}},
		{"leading zeros are nothing", "0005\nhello00000000000000000001\na", []string{"hello", "a"}},
		{"a record may be as long as the limit", "8\n12345678", []string{"12345678"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, err := all(t, strings.NewReader(test.stream), 8)
			require.NoError(t, err)
			assert.Equal(t, test.records, records)
		})
	}
}

func TestReaderFailsFor(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		cause        error
		says         string
	}{
		{"an empty line", "1\na\n", recordio.ErrLength, `record 1: the length is not a decimal number: "\n"`},
		{"a letter", "1\na12x\n", recordio.ErrLength, `record 1: the length is not a decimal number: "12x"`},
		{"a minus sign", "1\na-1\n", recordio.ErrLength, `record 1: the length is not a decimal number: "-"`},
		{"a plus sign", "1\na+1\n", recordio.ErrLength, `record 1: the length is not a decimal number: "+"`},
		{"a hexadecimal number", "1\na0x5\n", recordio.ErrLength, `record 1: the length is not a decimal number: "0x"`},
		{"a fraction", "1\na1.0\n", recordio.ErrLength, `record 1: the length is not a decimal number: "1."`},
		{"a carriage return", "1\na5\r\nhello", recordio.ErrLength, `record 1: the length is not a decimal number: "5\r"`},
		{"white space", "1\na 5\nhello", recordio.ErrLength, `record 1: the length is not a decimal number: " "`},
		{"a line without end", "1\na" + strings.Repeat("0", 1000), recordio.ErrLength, `record 1: the length is not a decimal number: "000000000000000000000"`},
		{"a length above the limit", "1\na9\n123456789", recordio.ErrTooLarge, "record 1: the record is longer than allowed: 9 bytes, at most 8"},
		{"a length of 64 bits", "1\na18446744073709551615\n", recordio.ErrTooLarge, "record 1: the record is longer than allowed: 18446744073709551615 bytes, at most 8"},
		{"a length of more than 64 bits", "1\na99999999999999999999\n", recordio.ErrTooLarge, "record 1: the record is longer than allowed: 99999999999999999999 bytes, at most 8"},
		{"an end inside the length", "1\na5", io.ErrUnexpectedEOF, "record 1: unexpected EOF"},
		{"an end before the record", "1\na5\n", io.ErrUnexpectedEOF, "record 1: unexpected EOF"},
		{"an end inside the record", "1\na5\nhell", io.ErrUnexpectedEOF, "record 1: unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, err := all(t, strings.NewReader(test.stream), 8)
			assert.Equal(t, []string{"a"}, records, "what came before counts")
			require.ErrorIs(t, err, test.cause)
			var typed *recordio.Error
			require.ErrorAs(t, err, &typed)
			assert.Equal(t, int64(1), typed.Record)
			assert.EqualError(t, err, test.says)
		})
	}
}

func TestReaderPassesOnWhatTheStreamSays(t *testing.T) {
	broken := errors.New("connection reset")
	for _, part := range []string{"", "5", "5\n", "5\nhel"} {
		records, err := all(t, io.MultiReader(strings.NewReader("1\na"+part), iotest.ErrReader(broken)), 0)
		assert.Equal(t, []string{"a"}, records)
		require.ErrorIs(t, err, broken)
		assert.EqualError(t, err, "record 1: connection reset")
	}
}

func TestReaderDoesNotMindHowTheStreamIsCut(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var stream []byte
	var want []string
	for range 50 {
		record := make([]byte, random.IntN(300))
		for i := range record {
			record[i] = byte(random.Uint32())
		}
		want = append(want, string(record))
		stream = recordio.Append(stream, record)
	}
	for name, cut := range map[string]func(io.Reader) io.Reader{
		"byte by byte":           iotest.OneByteReader,
		"in halves":              iotest.HalfReader,
		"the end with the bytes": iotest.DataErrReader,
		"at random":              func(r io.Reader) io.Reader { return &randomReader{r, random} },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(t, cut(bytes.NewReader(stream)), 0)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

type randomReader struct {
	r      io.Reader
	random *rand.Rand
}

func (r *randomReader) Read(p []byte) (int, error) {
	return r.r.Read(p[:min(len(p), 1+r.random.IntN(40))])
}

func TestReaderStopsAtFourMebibytesUnlessTold(t *testing.T) {
	whole := recordio.Append(nil, make([]byte, recordio.DefaultLimit))
	records, err := all(t, bytes.NewReader(whole), 0)
	require.NoError(t, err)
	require.Len(t, records, 1)
	assert.Len(t, records[0], 4<<20)

	longer := recordio.Append(nil, make([]byte, recordio.DefaultLimit+1))
	_, err = all(t, bytes.NewReader(longer), 0)
	require.ErrorIs(t, err, recordio.ErrTooLarge)
	records, err = all(t, bytes.NewReader(longer), recordio.DefaultLimit+1)
	require.NoError(t, err)
	assert.Len(t, records[0], 4<<20+1)
}

func TestReaderTakesNoMemoryForWhatNeverComes(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := all(t, strings.NewReader("1073741824\nabc"), 1<<30)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestReaderReadsNoFurtherThanAsked(t *testing.T) {
	r, w := io.Pipe()
	reader := recordio.NewReader(r, 0)
	go func() {
		_, _ = w.Write([]byte("3\none")) // and keeps the stream open
	}()
	record, err := reader.Next()
	require.NoError(t, err)
	assert.Equal(t, "one", string(record), "a record is there when its last byte is")
	require.NoError(t, w.Close())
	_, err = reader.Next()
	assert.Equal(t, io.EOF, err)
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"", "5\nhello6\nworld!", "0\n", "007\nabcdefg", "-1\n", "5", "18446744073709551616\n", "1\na\n", "4\n1\n\n2"} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8) {
		const limit = 1 << 10
		whole, wholeErr := all(t, bytes.NewReader(stream), limit)
		parts, partsErr := all(t, &cutReader{bytes.NewReader(stream), int(cut) + 1}, limit)
		assert.Equal(t, whole, parts, "cuts change nothing")
		assert.Equal(t, wholeErr, partsErr)

		var again []byte
		for _, record := range whole {
			assert.LessOrEqual(t, len(record), limit)
			again = recordio.Append(again, []byte(record))
		}
		got, err := all(t, bytes.NewReader(again), limit)
		require.NoError(t, err)
		assert.Equal(t, whole, got, "what was read can be written and read")
	})
}

type cutReader struct {
	r    io.Reader
	size int
}

func (r *cutReader) Read(p []byte) (int, error) { return r.r.Read(p[:min(len(p), r.size)]) }

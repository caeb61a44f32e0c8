package recordio_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mesos-modules/mms/internal/recordio"
)

func ExampleWriter() {
	w := recordio.NewWriter(os.Stdout, 0)
	for _, event := range []string{`{"type":"HEARTBEAT"}`, `{"type":"SHUTDOWN"}`} {
		if err := w.WriteRecord([]byte(event)); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 20
	// {"type":"HEARTBEAT"}19
	// {"type":"SHUTDOWN"}
}

func ExampleReader() {
	r := recordio.NewReader(strings.NewReader("5\nhello6\nworld!"), 0)
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", record)
	}
	// Output:
	// hello
	// world!
}

func ExampleReader_badLength() {
	r := recordio.NewReader(strings.NewReader("2\nok2 \nno"), 0)
	_, _ = r.Next()
	_, err := r.Next()
	fmt.Println(err)
	fmt.Println(errors.Is(err, recordio.ErrLength))
	// Output:
	// record 1: the length is not a decimal number: "2 "
	// true
}

func ExampleAppend() {
	fmt.Printf("%q\n", recordio.Append(nil, []byte("{}")))
	// Output: "2\n{}"
}

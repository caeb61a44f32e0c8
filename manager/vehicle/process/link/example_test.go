package link_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

type greeter struct{ whose string }

func (g greeter) Handle(_ context.Context, object uint64, method string, args []byte) []byte {
	return fmt.Appendf(nil, "%s answers %s of object %d: %s", g.whose, method, object, args)
}

// Both sides are in one process here; the second end of the pair is otherwise a child's
// descriptor 3.
func Example() {
	ours, theirs, err := link.Pair()
	if err != nil {
		fmt.Println(err)
		return
	}
	daemon, err := link.New(ours, greeter{"the daemon"}, link.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	child, err := link.New(theirs, greeter{"the child"}, link.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	answer, err := daemon.Call(context.Background(), 7, "Greet", []byte("hello"))
	fmt.Println(string(answer), err)
	answer, err = child.Call(context.Background(), 0, "Log", []byte("started"))
	fmt.Println(string(answer), err)

	_ = daemon.Close()
	<-child.Done()
	_, err = child.Call(context.Background(), 0, "Log", nil)
	fmt.Println(errors.Is(err, link.ErrEnded), err)
	_ = child.Close()
	// Output:
	// the child answers Greet of object 7: hello <nil>
	// the daemon answers Log of object 0: started <nil>
	// true the connection to the other process has ended: the other side closed the connection: EOF
}

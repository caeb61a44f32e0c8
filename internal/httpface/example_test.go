package httpface_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/mesos-modules/mms/internal/httpface"
)

func Example() {
	face := httpface.New(httpface.Config{Daemon: "mesos-master", Prefix: "/master", Version: "1.12.0"})
	defer face.Close()
	for _, path := range []string{"/version", "/master/version", "/versions"} {
		w := httptest.NewRecorder()
		face.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 {
	//   "version": "1.12.0"
	// }
	// 200 {
	//   "version": "1.12.0"
	// }
	// 404 {
	//   "error": "there is nothing at /versions",
	//   "near": [
	//     "/version"
	//   ]
	// }
}

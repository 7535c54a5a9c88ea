// A web server as many are: "hello" at /, files, and a timer.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			os.Stat("/etc/passwd")
		}
	}()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.ServeFile(w, r, "/srv"+r.URL.Path)
			return
		}
		fmt.Fprintln(w, "hello")
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:8000", nil))
	os.Exit(1)
}

// A schema registry for tests: the REST API of Confluent's, in memory. It listens on a free port of the
// loopback interface, or on the one given, and prints its base URL when it is ready.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/twmb/franz-go/pkg/sr/srfake"
)

func main() {
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, srfake.New().Handler()))
}

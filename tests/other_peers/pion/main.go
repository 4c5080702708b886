// Run one foreign peer on pion:
//
//	peer evaluator|client --relay URL --user ID [--client ID] [--images N] [--deadline SECONDS]
//		[--anew]
//
// On stdout stands one JSON line once the relay has registered the peer, and one with the result;
// the steps go to stderr. Exit 0 with a complete result, 1 with the reason on stderr, 2 for usage.
//
// It speaks the protocol's extensions but preload, and lets its candidates go as they come, before
// the description that they belong to if need be. With --anew the evaluator makes two new offers in
// a row in the middle of the session, and the client asks for them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

type arguments struct {
	role, relay, user, client string
	images                    int
	deadline                  time.Duration
	anew                      bool
}

func main() {
	given := readArguments()
	result, err := run(given, newWatch(given.deadline))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result["event"], result["role"] = "result", given.role
	write(os.Stdout, result)
}

func run(given arguments, w *watch) (map[string]any, error) {
	if given.role == "evaluator" {
		return evaluate(given, w)
	}
	return follow(given, w)
}

func readArguments() arguments {
	if len(os.Args) < 2 || (os.Args[1] != "evaluator" && os.Args[1] != "client") {
		fmt.Fprintln(os.Stderr, "a role is needed: evaluator or client")
		os.Exit(2)
	}
	given := arguments{role: os.Args[1]}
	flags := flag.NewFlagSet(given.role, flag.ExitOnError)
	flags.StringVar(&given.relay, "relay", "", "URL")
	flags.StringVar(&given.user, "user", "", "ID")
	flags.StringVar(&given.client, "client", "", "ID, for an evaluator")
	flags.IntVar(&given.images, "images", 5, "what an evaluator shows")
	flags.BoolVar(&given.anew, "anew", false, "connect anew in the middle, twice in a row")
	seconds := flags.Float64("deadline", 30, "seconds for all of it")
	flags.Parse(os.Args[2:])
	given.deadline = time.Duration(*seconds * float64(time.Second))
	return given
}

func step(event string, details map[string]any) {
	file := os.Stderr
	if event == "registered" {
		file = os.Stdout
	}
	details["event"] = event
	write(file, details)
}

func write(file *os.File, value map[string]any) {
	fmt.Fprintf(file, "%s\n", encode(value))
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Milliseconds since the Unix epoch, with a fraction.
func now() float64 {
	return float64(time.Now().UnixNano()) / 1e6
}

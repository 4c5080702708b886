package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

var errTooLate = errors.New("gave up: the deadline has passed")

type phase int

const (
	connecting phase = iota // trouble fails the run
	connected               // the data channel carries the session, and trouble is a complaint
	over                    // nothing counts any more
)

// What a run waits for, how it fails, and what it found fault with. The library's callbacks come
// on many goroutines.
type watch struct {
	failed   chan error
	deadline <-chan time.Time

	mutex      sync.Mutex
	phase      phase
	complaints []string
}

func newWatch(deadline time.Duration) *watch {
	return &watch{
		failed:     make(chan error, 1),
		deadline:   time.After(deadline),
		complaints: []string{},
	}
}

func until[T any](w *watch, missing string, come <-chan T) (T, error) {
	var nothing T
	select {
	case value := <-come:
		return value, nil
	case err := <-w.failed:
		return nothing, fmt.Errorf("%w, while waiting for %s", err, missing)
	case <-w.deadline:
		return nothing, fmt.Errorf("gave up, still missing: %s (%v)", missing, w.heard())
	}
}

func (w *watch) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

func (w *watch) trouble(err error) {
	switch w.isIn() {
	case connecting:
		w.fail(err)
	case connected:
		w.complain("%v", err)
	}
}

func (w *watch) enter(phase phase) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.phase = phase
}

func (w *watch) isIn() phase {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.phase
}

func (w *watch) complain(format string, values ...any) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.complaints = append(w.complaints, fmt.Sprintf(format, values...))
}

func (w *watch) heard() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return append([]string{}, w.complaints...)
}

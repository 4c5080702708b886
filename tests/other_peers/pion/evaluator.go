package main

import (
	"fmt"
	"time"
)

const (
	// A port where nobody listens: a client that fetches the image is told so at once.
	imageBase    = "http://127.0.0.1:9/images"
	closeWithin  = 3 * time.Second
	pingInterval = 2 * time.Second
)

type ack struct {
	ImageIndex  int     `json:"imageIndex"`
	SentAt      float64 `json:"sentAt"`
	ReceivedAt  float64 `json:"receivedAt"`
	RoundTripMs float64 `json:"roundTripMs"`
}

// Show all images to one client, each after the ack of the one before, and end the session.
func evaluate(given arguments, w *watch) (map[string]any, error) {
	r, err := openRelay(given, w)
	if err != nil {
		return nil, err
	}
	welcome, err := until(w, "`registered`", r.registered)
	if err != nil {
		return nil, err
	}
	step("registered", map[string]any{"userId": given.user})
	began := time.Now()
	r.send("start_session", map[string]any{"clientId": given.client})
	started, err := until(w, "`session_started`", r.started)
	if err != nil {
		return nil, err
	}
	r.otherUser = started.ClientID
	p := &presenter{
		session: openSession(w, r, welcome.IceServers), acks: []ack{}, began: began,
	}
	if err = p.session.offer(); err != nil {
		return nil, err
	}
	for index := 0; index < given.images; index++ {
		if given.anew && index == given.images/2 {
			if err = p.connectAnew(); err != nil {
				return nil, err
			}
		}
		step("show", map[string]any{"imageIndex": index})
		if err = p.show(index); err != nil {
			return nil, err
		}
	}

	// The client may say first that the session is over, and our end_session is refused then.
	w.enter(over)
	p.channel.pion.Close()
	hasClosed := false
	select {
	case <-p.channel.closed:
		hasClosed = true
	case <-time.After(closeWithin):
	}
	r.send("end_session", map[string]any{"sessionId": started.SessionID})
	reason, err := until(w, "`session_ended`", r.ended)
	if err != nil {
		return nil, err
	}
	p.session.current.pc.Close()
	return p.session.report(map[string]any{
		"sessionId":     started.SessionID,
		"acks":          p.acks,
		"extraAcks":     p.extraAcks,
		"readies":       p.readies,
		"pongs":         p.pongs,
		"firstAckMs":    p.firstAckMs,
		"channelClosed": hasClosed,
		"endReason":     reason,
	}), nil
}

// The evaluator's end of the channel.
type presenter struct {
	session *session
	// None until the first is open, and from the end of one to the next.
	channel    *channel
	began      time.Time
	current    *image
	shownAt    time.Time
	acks       []ack
	firstAckMs float64
	extraAcks  int
	readies    int
	pings      int
	pongs      int
}

// Make this the current image, and wait for its ack.
func (p *presenter) show(index int) error {
	url := fmt.Sprintf("%s/%d.png", imageBase, index)
	p.current = &image{index, url, url + "?signature=none", now()}
	p.shownAt = time.Now()
	p.sendCurrent()
	for len(p.acks) <= index {
		if err := p.step(); err != nil {
			return fmt.Errorf("%w, while waiting for the ack of image %d", err, index)
		}
	}
	return nil
}

// Two offers in a row: the second counts.
func (p *presenter) connectAnew() error {
	for range [2]int{} {
		if err := p.session.offer(); err != nil {
			return err
		}
	}
	for p.channel == nil || p.channel.of != p.session.current {
		if err := p.step(); err != nil {
			return err
		}
	}
	return nil
}

// Takes the next thing that happens.
func (p *presenter) step() error {
	s := p.session
	messages, closed := p.channel.events()
	select {
	case raw := <-s.relay.signals:
		return s.receive(raw)
	case opened := <-s.opened:
		s.watch.enter(connected)
		p.channel = opened
		s.closeReplaced()
		p.sendCurrent()
	case came := <-messages:
		return p.receive(came)
	case <-closed:
		if p.channel.of == s.current {
			return fmt.Errorf("the channel closed")
		}
		p.channel = nil // another one is on its way
	case <-time.After(pingInterval):
		if p.pings > 0 && p.channel != nil {
			p.ping()
		}
	case err := <-s.watch.failed:
		return err
	case <-s.watch.deadline:
		return errTooLate
	}
	return nil
}

func (p *presenter) sendCurrent() {
	if p.current != nil && p.channel != nil {
		p.channel.send(p.current)
	}
}

func (p *presenter) ping() {
	p.pings++
	p.channel.send(map[string]any{"type": "ping", "id": p.pings, "t0": now()})
}

func (p *presenter) receive(came message) error {
	switch came.Type {
	case "ready":
		p.readies++
		p.sendCurrent()
		for _, feature := range came.Features {
			if feature == "ping" {
				p.ping()
			}
		}
	case "ack":
		return p.receiveAck(came)
	case "ping":
		p.channel.pong(came)
	case "pong":
		p.pongs++
	case "stage", "display":
	default:
		p.channel.watch.complain("the client sent %s unasked", came.raw)
	}
	return nil
}

func (p *presenter) receiveAck(came message) error {
	for _, earlier := range p.acks {
		if earlier.SentAt == came.SentAt {
			p.extraAcks++
			return nil
		}
	}
	if came.SentAt != p.current.SentAt {
		return fmt.Errorf("an ack says sentAt %v, which no image had", came.SentAt)
	}
	if len(p.acks) == 0 {
		p.firstAckMs = milliseconds(time.Since(p.began))
	}
	roundTrip := milliseconds(time.Since(p.shownAt))
	p.acks = append(p.acks, ack{p.current.ImageIndex, came.SentAt, came.ReceivedAt, roundTrip})
	return nil
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration) / 1e6
}

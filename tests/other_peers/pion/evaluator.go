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
	session, err := until(w, "`session_started`", r.started)
	if err != nil {
		return nil, err
	}
	r.otherUser = session.ClientID
	h, err := openHandshake(w, r, welcome.IceServers)
	if err != nil {
		return nil, err
	}
	made, err := h.pc.CreateDataChannel(label, nil)
	if err != nil {
		return nil, err
	}
	p := &presenter{channel: adopt(w, made), acks: []ack{}, began: began}
	if err = h.sendLocal(h.pc.CreateOffer(nil)); err != nil {
		return nil, err
	}
	if err = h.applyRemote("the answer"); err != nil {
		return nil, err
	}
	if _, err = until(w, "the data channel to open", p.channel.opened); err != nil {
		return nil, err
	}
	w.enter(connected)
	for index := 0; index < given.images; index++ {
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
	r.send("end_session", map[string]any{"sessionId": session.SessionID})
	reason, err := until(w, "`session_ended`", r.ended)
	if err != nil {
		return nil, err
	}
	h.pc.Close()
	return h.report(map[string]any{
		"sessionId":     session.SessionID,
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
	w := p.channel.watch
	url := fmt.Sprintf("%s/%d.png", imageBase, index)
	p.current = &image{index, url, url + "?signature=none", now()}
	p.shownAt = time.Now()
	p.channel.send(p.current)
	nextPing := time.NewTicker(pingInterval)
	defer nextPing.Stop()
	for len(p.acks) <= index {
		select {
		case came := <-p.channel.messages:
			if err := p.receive(came); err != nil {
				return err
			}
		case <-nextPing.C:
			p.ping()
		case <-p.channel.closed:
			return fmt.Errorf("the channel closed while waiting for the ack of image %d", index)
		case err := <-w.failed:
			return err
		case <-w.deadline:
			return errTooLate
		}
	}
	return nil
}

func (p *presenter) ping() {
	p.pings++
	p.channel.send(map[string]any{"type": "ping", "id": p.pings, "t0": now()})
}

func (p *presenter) receive(came message) error {
	switch came.Type {
	case "ready":
		p.readies++
		p.channel.send(p.current)
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
	case "stage":
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

package main

import "github.com/pion/webrtc"

type showing struct {
	image
	ReceivedAt float64 `json:"receivedAt"`
}

// Follow one session: ack every copy of an image, and keep the distinct showings.
func follow(given arguments, w *watch) (map[string]any, error) {
	r, err := openRelay(given, w)
	if err != nil {
		return nil, err
	}
	welcome, err := until(w, "`registered`", r.registered)
	if err != nil {
		return nil, err
	}
	step("registered", map[string]any{"userId": given.user})
	session, err := until(w, "`session_started`", r.started)
	if err != nil {
		return nil, err
	}
	r.otherUser = session.EvaluatorID
	h, err := openHandshake(w, r, welcome.IceServers)
	if err != nil {
		return nil, err
	}
	channels := make(chan *channel, 1)
	h.pc.OnDataChannel(func(pion *webrtc.DataChannel) { channels <- adopt(w, pion) })
	if err = h.applyRemote("the offer"); err != nil {
		return nil, err
	}
	if err = h.sendLocal(h.pc.CreateAnswer(nil)); err != nil {
		return nil, err
	}
	c, err := until(w, "the data channel", channels)
	if err != nil {
		return nil, err
	}
	if c.pion.Label() != label || !c.pion.Ordered() {
		w.complain("the channel is %s, ordered: %v", c.pion.Label(), c.pion.Ordered())
	}
	if _, err = until(w, "the data channel to open", c.opened); err != nil {
		return nil, err
	}
	w.enter(connected)
	v := viewer{channel: c, showings: []showing{}}
	c.send(map[string]any{"type": "ready", "features": []string{"ping", "stage"}})
	endedBy, err := v.watchUntilEnd(r)
	if err != nil {
		return nil, err
	}
	w.enter(over)
	c.pion.Close()
	h.pc.Close()
	return h.report(map[string]any{
		"sessionId":   session.SessionID,
		"evaluatorId": session.EvaluatorID,
		"showings":    v.showings,
		"copies":      v.copies,
		"pings":       v.pings,
		"endedBy":     endedBy,
	}), nil
}

// The client's end of the channel.
type viewer struct {
	channel  *channel
	showings []showing
	copies   int
	pings    int
}

func (v *viewer) watchUntilEnd(r *relay) (string, error) {
	for {
		select {
		case came := <-v.channel.messages:
			v.receive(came)
			continue
		default:
		}
		// What came before the end is read first.
		select {
		case came := <-v.channel.messages:
			v.receive(came)
		case <-v.channel.closed:
			return "the channel closed", nil
		case reason := <-r.ended:
			return "session_ended, " + reason, nil
		case err := <-v.channel.watch.failed:
			return "", err
		case <-v.channel.watch.deadline:
			return "", errTooLate
		}
	}
}

func (v *viewer) receive(came message) {
	receivedAt := now()
	switch {
	case came.Type == "ping":
		v.pings++
		v.channel.pong(came)
	case came.Type == "" && came.ImageURL != "":
		v.copies++
		v.show(came.image, receivedAt)
	default:
		v.channel.watch.complain("the evaluator sent %s unasked", came.raw)
	}
}

func (v *viewer) show(shown image, receivedAt float64) {
	v.channel.send(map[string]any{
		"type": "ack", "sentAt": shown.SentAt, "receivedAt": receivedAt,
		"imageIndex": shown.ImageIndex,
	})
	for _, earlier := range v.showings {
		if earlier.SentAt == shown.SentAt {
			if earlier.image != shown {
				v.channel.watch.complain("a resend of image %d changed it", shown.ImageIndex)
			}
			return
		}
	}
	v.showings = append(v.showings, showing{shown, receivedAt})
	v.channel.send(map[string]any{
		"type": "stage", "imageIndex": shown.ImageIndex, "sentAt": shown.SentAt,
		"stage": "shown", "at": now(),
	})
}

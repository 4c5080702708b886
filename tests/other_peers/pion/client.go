package main

const showingsBeforeAnew = 3

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
	started, err := until(w, "`session_started`", r.started)
	if err != nil {
		return nil, err
	}
	r.otherUser = started.EvaluatorID
	v := viewer{
		session: openSession(w, r, welcome.IceServers), showings: []showing{}, isToAsk: given.anew,
	}
	endedBy, err := v.watchUntilEnd()
	if err != nil {
		return nil, err
	}
	w.enter(over)
	if v.channel != nil {
		v.channel.pion.Close()
	}
	v.session.current.pc.Close()
	return v.session.report(map[string]any{
		"sessionId":   started.SessionID,
		"evaluatorId": started.EvaluatorID,
		"showings":    v.showings,
		"copies":      v.copies,
		"pings":       v.pings,
		"endedBy":     endedBy,
	}), nil
}

// The client's end of the channel.
type viewer struct {
	session  *session
	channel  *channel
	showings []showing
	copies   int
	pings    int
	// Whether new offers are to be asked for in the middle of the session.
	isToAsk bool
}

func (v *viewer) watchUntilEnd() (string, error) {
	s := v.session
	for {
		messages, closed := v.channel.events()
		// What came before the end is read first.
		select {
		case came := <-messages:
			v.receive(came)
			continue
		default:
		}
		select {
		case raw := <-s.relay.signals:
			if err := s.receive(raw); err != nil {
				return "", err
			}
		case opened := <-s.opened:
			v.begin(opened)
		case came := <-messages:
			v.receive(came)
		case <-closed:
			if v.channel.of == s.current {
				return "the channel closed", nil
			}
			v.channel = nil // another one is on its way
		case reason := <-s.relay.ended:
			return "session_ended, " + reason, nil
		case err := <-s.watch.failed:
			return "", err
		case <-s.watch.deadline:
			return "", errTooLate
		}
	}
}

func (v *viewer) begin(opened *channel) {
	s := v.session
	if opened.pion.Label() != label || !opened.pion.Ordered() {
		s.watch.complain("the channel is %s, ordered: %v", opened.pion.Label(), opened.pion.Ordered())
	}
	s.watch.enter(connected)
	v.channel = opened
	s.closeReplaced()
	opened.send(map[string]any{"type": "ready", "features": []string{"ping", "stage"}})
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
	if v.isToAsk && len(v.showings) == showingsBeforeAnew {
		for range [2]int{} {
			v.session.relay.signal(map[string]string{"type": "request_offer"})
		}
	}
	v.channel.send(map[string]any{
		"type": "stage", "imageIndex": shown.ImageIndex, "sentAt": shown.SentAt,
		"stage": "shown", "at": now(),
	})
}

package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/net/websocket"
)

// The connection to the relay: each frame is one event. `signals` are read by the handshake.
type relay struct {
	watch      *watch
	socket     *websocket.Conn
	registered chan registered
	started    chan started
	ended      chan string
	signals    chan json.RawMessage
	otherUser  string
}

type registered struct {
	IceServers *[]iceServer `json:"iceServers"`
}

type iceServer struct {
	URLs       json.RawMessage `json:"urls"`
	Username   string          `json:"username"`
	Credential string          `json:"credential"`
}

type started struct {
	SessionID   string `json:"sessionId"`
	ClientID    string `json:"clientId"`
	EvaluatorID string `json:"evaluatorId"`
}

// Connects, and asks to be registered.
func openRelay(given arguments, w *watch) (*relay, error) {
	// The library always names an origin, and the relay's own is let in.
	origin := strings.Replace(given.relay, "ws", "http", 1)
	socket, err := websocket.Dial(given.relay, "", origin)
	if err != nil {
		return nil, err
	}
	r := &relay{
		watch:      w,
		socket:     socket,
		registered: make(chan registered, 1),
		started:    make(chan started, 1),
		ended:      make(chan string, 1),
		signals:    make(chan json.RawMessage, 256),
	}
	go r.read()
	r.send("register", map[string]any{"userId": given.user, "role": given.role, "package": "webrtc"})
	return r, nil
}

func (r *relay) send(event string, data any) {
	err := websocket.JSON.Send(r.socket, map[string]any{"event": event, "data": data})
	if err != nil {
		r.watch.trouble(fmt.Errorf("the relay's socket failed: %w", err))
	}
}

func (r *relay) signal(signal any) {
	r.send("webrtc_signal", map[string]any{"targetUserId": r.otherUser, "signal": signal})
}

func (r *relay) read() {
	for {
		var frame struct {
			Event string          `json:"event"`
			Data  json.RawMessage `json:"data"`
		}
		err := websocket.JSON.Receive(r.socket, &frame)
		if err != nil {
			r.watch.trouble(fmt.Errorf("the relay's socket failed: %w", err))
			return
		}
		if err = r.receive(frame.Event, frame.Data); err != nil {
			r.watch.trouble(err)
		}
	}
}

func (r *relay) receive(event string, data json.RawMessage) error {
	switch event {
	case "registered":
		return pass(data, r.registered)
	case "session_started":
		return pass(data, r.started)
	case "webrtc_signal":
		var message struct {
			Signal json.RawMessage `json:"signal"`
		}
		err := json.Unmarshal(data, &message)
		r.signals <- message.Signal
		return err
	case "session_ended":
		return r.receiveEnd(data)
	case "error":
		return fmt.Errorf("the relay answered %s", data)
	}
	return nil // an event that this peer doesn't know is ignored
}

func pass[T any](data json.RawMessage, to chan<- T) error {
	var message T
	if err := json.Unmarshal(data, &message); err != nil {
		return err
	}
	to <- message
	return nil
}

func (r *relay) receiveEnd(data json.RawMessage) error {
	var message struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(data, &message); err != nil {
		return err
	}
	if r.watch.isIn() == connecting {
		return fmt.Errorf("the session ended: %s", data)
	}
	if message.Reason != "peer_gone" { // an open channel knows better than the relay
		r.ended <- message.Reason
	}
	return nil
}

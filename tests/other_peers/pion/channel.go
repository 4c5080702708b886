package main

import (
	"encoding/json"
	"sync"

	"github.com/pion/webrtc"
)

const label = "image-sync"

type image struct {
	ImageIndex int     `json:"imageIndex"`
	ImageURL   string  `json:"imageUrl"`
	SignedURL  string  `json:"signedUrl"`
	SentAt     float64 `json:"sentAt"`
}

// What comes on the channel; `raw` is all of it.
type message struct {
	image
	Type       string          `json:"type"`
	ID         json.RawMessage `json:"id"`
	T0         float64         `json:"t0"`
	T2         float64         `json:"t2"`
	Features   []string        `json:"features"`
	Stage      string          `json:"stage"`
	ReceivedAt float64         `json:"receivedAt"`
	raw        string
}

// A data channel: what comes in is read from `messages`, in order.
type channel struct {
	of       *connection
	watch    *watch
	pion     *webrtc.DataChannel
	closed   chan struct{}
	messages chan message
	once     sync.Once
}

func adopt(w *watch, of *connection, pion *webrtc.DataChannel) *channel {
	c := &channel{
		of:       of,
		watch:    w,
		pion:     pion,
		closed:   make(chan struct{}),
		messages: make(chan message, 256),
	}
	pion.OnClose(func() { c.once.Do(func() { close(c.closed) }) })
	pion.OnMessage(func(came webrtc.DataChannelMessage) {
		read := message{raw: string(came.Data)}
		if err := json.Unmarshal(came.Data, &read); err != nil || !came.IsString {
			w.complain("%q came: %v", came.Data, err)
			return
		}
		c.messages <- read
	})
	return c
}

// What is to be waited for; nothing, where there is no channel.
func (c *channel) events() (<-chan message, <-chan struct{}) {
	if c == nil {
		return nil, nil
	}
	return c.messages, c.closed
}

// The other side may have closed it meanwhile; what had to arrive is missed then.
func (c *channel) send(value any) {
	_ = c.pion.SendText(encode(value))
}

func (c *channel) pong(ping message) {
	came := now()
	c.send(map[string]any{"type": "pong", "id": ping.ID, "t0": ping.T0, "t1": came, "t2": now()})
}

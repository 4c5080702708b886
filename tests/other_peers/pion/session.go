package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/pion/webrtc"
)

var ufragLine = regexp.MustCompile(`(?m)^a=ice-ufrag:(\S+)`)

// What pion calls its one section, in each offer.
const ownMid = "0"

// One session's signals, and its connections, one after the other. All is called by one goroutine
// but what pion calls back.
type session struct {
	watch    *watch
	relay    *relay
	servers  *[]iceServer
	current  *connection
	replaced []*connection
	// Channels, each when it is open.
	opened chan *channel
	// Candidates for a description that is still to come.
	early      []webrtc.ICECandidateInit
	remote     int
	remoteEnds int

	mutex sync.Mutex
	local []string
}

func openSession(w *watch, r *relay, servers *[]iceServer) *session {
	opened := make(chan *channel, 16)
	return &session{watch: w, relay: r, servers: servers, opened: opened, local: []string{}}
}

// Makes an offer, on a connection of its own.
func (s *session) offer() error {
	c, err := s.connect()
	if err != nil {
		return err
	}
	made, err := c.pc.CreateDataChannel(label, nil)
	if err != nil {
		return err
	}
	s.adopt(c, made)
	description, err := c.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := c.pc.SetLocalDescription(description); err != nil {
		return err
	}
	c.mid = fmt.Sprintf("offer%d", c.number)
	s.relay.signal(map[string]string{
		"type": "offer", "sdp": renameSection(description.SDP, ownMid, c.mid),
	})
	return nil
}

func renameSection(sdp, from, to string) string {
	sdp = strings.Replace(sdp, "a=mid:"+from+"\r\n", "a=mid:"+to+"\r\n", 1)
	return strings.Replace(sdp, "a=group:BUNDLE "+from+"\r\n", "a=group:BUNDLE "+to+"\r\n", 1)
}

// Takes one signal of the other side's.
func (s *session) receive(raw json.RawMessage) error {
	// A signal that is null, the end of candidates, leaves both empty.
	var description struct {
		Type string `json:"type"`
		SDP  string `json:"sdp"`
	}
	var candidate webrtc.ICECandidateInit
	if err := json.Unmarshal(raw, &description); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &candidate); err != nil {
		return err
	}
	switch {
	case description.Type == "request_offer":
		return s.offer()
	case description.Type == "offer":
		return s.answer(description.SDP)
	case description.Type == "answer":
		return s.apply(description.SDP)
	case candidate.Candidate == "":
		s.remoteEnds++
	default:
		s.remote++
		s.early = append(s.early, candidate)
		return s.applyEarly()
	}
	return nil
}

func (s *session) answer(sdp string) error {
	if s.current != nil && s.current.remoteUfrag == ufragOf(sdp) {
		return nil // a repetition
	}
	c, err := s.connect()
	if err != nil {
		return err
	}
	c.pc.OnDataChannel(func(came *webrtc.DataChannel) { s.adopt(c, came) })
	if err := s.describe(webrtc.SDPTypeOffer, sdp); err != nil {
		return err
	}
	description, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	if err := c.pc.SetLocalDescription(description); err != nil {
		return err
	}
	s.relay.signal(map[string]string{"type": "answer", "sdp": description.SDP})
	return nil
}

func (s *session) apply(sdp string) error {
	mid := s.current.mid
	if !strings.Contains(sdp, "a=mid:"+mid+"\r\n") || s.current.remoteUfrag != "" {
		return nil // to an earlier offer
	}
	return s.describe(webrtc.SDPTypeAnswer, renameSection(sdp, mid, ownMid))
}

func (s *session) describe(kind webrtc.SDPType, sdp string) error {
	c := s.current
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return err
	}
	c.remoteUfrag = ufragOf(sdp)
	return s.applyEarly()
}

// Gives the current connection the candidates that are of its remote description.
func (s *session) applyEarly() error {
	if s.current == nil || s.current.remoteUfrag == "" {
		return nil
	}
	var waiting []webrtc.ICECandidateInit
	for _, candidate := range s.early {
		fragment := candidate.UsernameFragment
		if fragment != nil && *fragment != s.current.remoteUfrag {
			waiting = append(waiting, candidate)
			continue
		}
		// There is one section, whatever it is called.
		candidate.SDPMid = nil
		if err := s.current.pc.AddICECandidate(candidate); err != nil {
			return err
		}
	}
	s.early = waiting
	return nil
}

func ufragOf(sdp string) string {
	if found := ufragLine.FindStringSubmatch(sdp); found != nil {
		return found[1]
	}
	return ""
}

// Begins the next connection; those before it are closed once this one has its channel.
func (s *session) connect() (*connection, error) {
	pc, err := newPeerConnection(s.servers)
	if err != nil {
		return nil, err
	}
	c := &connection{number: 1, pc: pc}
	if s.current != nil {
		c.number = s.current.number + 1
		s.current.isOld.Store(true)
		s.replaced = append(s.replaced, s.current)
	}
	s.current = c
	pc.OnICECandidate(s.trickle)
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed && !c.isOld.Load() {
			s.watch.trouble(fmt.Errorf("the connection failed"))
		}
	})
	return c, nil
}

func (s *session) trickle(candidate *webrtc.ICECandidate) {
	if candidate == nil {
		s.relay.signal(map[string]any{"candidate": nil})
		return
	}
	told := candidate.ToJSON()
	s.mutex.Lock()
	s.local = append(s.local, told.Candidate)
	s.mutex.Unlock()
	s.relay.signal(told)
}

func (s *session) adopt(c *connection, pion *webrtc.DataChannel) {
	adopted := adopt(s.watch, c, pion)
	pion.OnOpen(func() {
		if !c.isOld.Load() {
			s.opened <- adopted
		}
	})
}

func (s *session) closeReplaced() {
	for _, c := range s.replaced {
		c.pc.Close()
	}
	s.replaced = nil
}

// What both roles report.
func (s *session) report(result map[string]any) map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	result["localCandidates"] = s.local
	result["remoteCandidates"] = s.remote
	result["remoteEnds"] = s.remoteEnds
	result["connections"] = s.current.number
	result["complaints"] = s.watch.heard()
	return result
}

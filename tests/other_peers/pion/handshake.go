package main

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/pion/webrtc"
)

// One connection's descriptions and candidates, in either role.
type handshake struct {
	watch *watch
	relay *relay
	pc    *webrtc.PeerConnection
	// What the other side described itself as; the first one counts.
	described chan webrtc.SessionDescription

	mutex sync.Mutex
	local []string
	// What came before the remote description was set.
	early       []webrtc.ICECandidateInit
	isDescribed bool
	remote      int
	remoteEnds  int
}

func openHandshake(w *watch, r *relay, servers *[]iceServer) (*handshake, error) {
	configuration, err := configure(servers)
	if err != nil {
		return nil, err
	}
	pc, err := webrtc.NewPeerConnection(configuration)
	if err != nil {
		return nil, err
	}
	h := &handshake{watch: w, relay: r, pc: pc, described: make(chan webrtc.SessionDescription, 1)}
	h.local = []string{}
	pc.OnICECandidate(h.trickle)
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed {
			w.trouble(fmt.Errorf("the connection failed"))
		}
	})
	go h.read()
	return h, nil
}

func configure(servers *[]iceServer) (webrtc.Configuration, error) {
	if servers == nil {
		servers = &[]iceServer{{URLs: json.RawMessage(`"stun:stun.l.google.com:19302"`)}}
	}
	configuration := webrtc.Configuration{}
	for _, server := range *servers {
		var urls []string
		if json.Unmarshal(server.URLs, &urls) != nil {
			urls = make([]string, 1)
			if err := json.Unmarshal(server.URLs, &urls[0]); err != nil {
				return configuration, err
			}
		}
		configuration.ICEServers = append(configuration.ICEServers, webrtc.ICEServer{
			URLs: urls, Username: server.Username, Credential: server.Credential,
		})
	}
	return configuration, nil
}

func (h *handshake) trickle(candidate *webrtc.ICECandidate) {
	if candidate == nil {
		h.relay.signal(map[string]any{"candidate": nil})
		return
	}
	told := candidate.ToJSON()
	h.mutex.Lock()
	h.local = append(h.local, told.Candidate)
	h.mutex.Unlock()
	h.relay.signal(told)
}

func (h *handshake) read() {
	for raw := range h.relay.signals {
		if err := h.receive(raw); err != nil {
			h.watch.trouble(fmt.Errorf("the signal %s: %w", raw, err))
		}
	}
}

func (h *handshake) receive(raw json.RawMessage) error {
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
	h.mutex.Lock()
	defer h.mutex.Unlock()
	switch {
	case description.Type != "":
		h.described <- webrtc.SessionDescription{
			Type: webrtc.NewSDPType(description.Type), SDP: description.SDP,
		}
	case candidate.Candidate == "":
		h.remoteEnds++
	case !h.isDescribed:
		h.remote++
		h.early = append(h.early, candidate)
	default:
		h.remote++
		return h.pc.AddICECandidate(candidate)
	}
	return nil
}

// Sets the other side's description when it comes, and the candidates that waited for it.
func (h *handshake) applyRemote(missing string) error {
	description, err := until(h.watch, missing, h.described)
	if err != nil {
		return err
	}
	if err := h.pc.SetRemoteDescription(description); err != nil {
		return err
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.isDescribed = true
	for _, candidate := range h.early {
		if err := h.pc.AddICECandidate(candidate); err != nil {
			return err
		}
	}
	return nil
}

func (h *handshake) sendLocal(description webrtc.SessionDescription, err error) error {
	if err != nil {
		return err
	}
	if err := h.pc.SetLocalDescription(description); err != nil {
		return err
	}
	h.relay.signal(map[string]string{"type": description.Type.String(), "sdp": description.SDP})
	return nil
}

// What both roles report.
func (h *handshake) report(result map[string]any) map[string]any {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	result["localCandidates"] = h.local
	result["remoteCandidates"] = h.remote
	result["remoteEnds"] = h.remoteEnds
	result["complaints"] = h.watch.heard()
	return result
}

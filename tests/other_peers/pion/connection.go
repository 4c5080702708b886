package main

import (
	"encoding/json"
	"sync/atomic"

	"github.com/pion/webrtc"
)

// One peer connection of a session.
type connection struct {
	number int
	pc     *webrtc.PeerConnection
	// What our offer calls its section, where it is ours.
	mid         string
	remoteUfrag string
	isOld       atomic.Bool
}

func newPeerConnection(servers *[]iceServer) (*webrtc.PeerConnection, error) {
	if servers == nil {
		servers = &[]iceServer{{URLs: json.RawMessage(`"stun:stun.l.google.com:19302"`)}}
	}
	configuration := webrtc.Configuration{}
	for _, server := range *servers {
		var urls []string
		if json.Unmarshal(server.URLs, &urls) != nil {
			urls = make([]string, 1)
			if err := json.Unmarshal(server.URLs, &urls[0]); err != nil {
				return nil, err
			}
		}
		configuration.ICEServers = append(configuration.ICEServers, webrtc.ICEServer{
			URLs: urls, Username: server.Username, Credential: server.Credential,
		})
	}
	return webrtc.NewPeerConnection(configuration)
}

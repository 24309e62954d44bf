// Callers in rooms for a fraction of what a native client takes: each sends recorded Opus packets in a loop and drops what it receives.
// Reads JSON lines, {"do": "join", "url": ..., "token": ..., "start": 37} and {"do": "leave", "room": ...}; answers each with "@" and JSON.
// What the agents of the rooms do is told with "!" and JSON: {"room", "event": "joined" | "published" | "heard" | "left", "atMs"}.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// 8 s: silence, a phrase of 2.5 s, silence. Encoded by opusenc from `callerLoop` of benchmarks/conversation.ts, 20 ms a packet and page.
//
//go:embed caller.ogg
var recording []byte

type command struct {
	Do    string `json:"do"`
	URL   string `json:"url"`
	Token string `json:"token"`
	Room  string `json:"room"`
	Start int    `json:"start"`
}

// One caller's place in the loop.
type voice struct {
	packets [][]byte
	at      int
}

func (v *voice) NextSample(context.Context) (media.Sample, error) {
	packet := v.packets[v.at%len(v.packets)]
	v.at++
	return media.Sample{Data: packet, Duration: 20 * time.Millisecond}, nil
}
func (v *voice) OnBind() error   { return nil }
func (v *voice) OnUnbind() error { return nil }
func (v *voice) Close() error    { return nil }

var output sync.Mutex

func tell(mark string, what map[string]any) {
	line, _ := json.Marshal(what)
	output.Lock()
	defer output.Unlock()
	fmt.Printf("%s%s\n", mark, line)
}

func readPackets() ([][]byte, error) {
	reader, _, err := oggreader.NewWith(bytes.NewReader(recording))
	if err != nil {
		return nil, err
	}
	var packets [][]byte
	for {
		page, _, err := reader.ParseNextPage()
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return nil, err
		}
		// The first page after the header is the comment.
		if !bytes.HasPrefix(page, []byte("OpusTags")) {
			packets = append(packets, page)
		}
	}
}

func join(c command, packets [][]byte) (*lksdk.Room, error) {
	var room *lksdk.Room
	var name string
	ready := make(chan struct{})
	// Some of it happens before the room has its name.
	happened := func(event string) {
		atMs := float64(time.Now().UnixMicro()) / 1000
		go func() {
			<-ready
			tell("!", map[string]any{"room": name, "event": event, "atMs": atMs})
		}()
	}
	callback := lksdk.NewRoomCallback()
	callback.OnParticipantConnected = func(*lksdk.RemoteParticipant) { happened("joined") }
	callback.OnParticipantDisconnected = func(*lksdk.RemoteParticipant) { happened("left") }
	callback.OnTrackPublished = func(*lksdk.RemoteTrackPublication, *lksdk.RemoteParticipant) { happened("published") }
	callback.OnTrackSubscribed = func(track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
		go func() {
			buffer := make([]byte, 1500)
			for first := true; ; first = false {
				if _, _, err := track.Read(buffer); err != nil {
					return
				}
				if first {
					happened("heard")
				}
			}
		}()
	}
	room, err := lksdk.ConnectToRoomWithToken(c.URL, c.Token, callback, lksdk.WithDisableRegionDiscovery())
	if err != nil {
		return nil, err
	}
	name = room.Name()
	close(ready)
	track, err := lksdk.NewLocalTrack(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2})
	if err != nil {
		return nil, err
	}
	track.OnBind(func() { _ = track.StartWrite(&voice{packets, c.Start}, nil) })
	options := &lksdk.TrackPublicationOptions{Name: "microphone", Source: 2}
	_, err = room.LocalParticipant.PublishTrack(track, options)
	return room, err
}

func main() {
	logger.InitFromConfig(&logger.Config{Level: "fatal"}, "callers")
	lksdk.SetLogger(logger.GetLogger())
	packets, err := readPackets()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	rooms := map[string]*lksdk.Room{}
	tell("@", map[string]any{"ready": true, "packets": len(packets)})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<16), 1<<16)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			tell("@", map[string]any{"error": err.Error()})
			continue
		}
		switch c.Do {
		case "join":
			room, err := join(c, packets)
			if err != nil {
				tell("@", map[string]any{"error": err.Error()})
				continue
			}
			rooms[room.Name()] = room
			tell("@", map[string]any{"joined": true})
		case "leave":
			if room := rooms[c.Room]; room != nil {
				room.Disconnect()
				delete(rooms, c.Room)
			}
			tell("@", map[string]any{"left": true})
		default:
			tell("@", map[string]any{"error": "unknown command " + c.Do})
		}
	}
}

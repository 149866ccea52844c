// Command peer is one node of HashiCorp's memberlist. It reads commands from its standard input, one per line, and prints what
// happens as lines of JSON. The tests of packages/gossip make clusters with it.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

var (
	out   = json.NewEncoder(os.Stdout)
	outMu sync.Mutex
)

func say(fields map[string]any) {
	outMu.Lock()
	defer outMu.Unlock()
	check(out.Encode(fields))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// peer is the node's delegate: its meta, its broadcasts, and what it hears.
type peer struct {
	mu    sync.Mutex
	meta  []byte
	queue *memberlist.TransmitLimitedQueue
}

type cast []byte

func (c cast) Invalidates(memberlist.Broadcast) bool { return false }
func (c cast) Message() []byte                       { return c }
func (c cast) Finished()                             {}

func (p *peer) NodeMeta(int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meta
}
func (p *peer) NotifyMsg(b []byte)                  { say(map[string]any{"type": "message", "text": string(b)}) }
func (p *peer) GetBroadcasts(o, limit int) [][]byte { return p.queue.GetBroadcasts(o, limit) }
func (p *peer) LocalState(bool) []byte              { return []byte("state of Go") }
func (p *peer) MergeRemoteState(b []byte, join bool) {
	say(map[string]any{"type": "state", "text": string(b), "join": join})
}
func (p *peer) NotifyJoin(n *memberlist.Node) { say(map[string]any{"type": "join", "name": n.Name}) }
func (p *peer) NotifyLeave(n *memberlist.Node) {
	say(map[string]any{"type": "leave", "name": n.Name, "left": n.State == memberlist.StateLeft})
}
func (p *peer) NotifyUpdate(n *memberlist.Node) {
	say(map[string]any{"type": "update", "name": n.Name, "meta": string(n.Meta)})
}
func (p *peer) NotifyConflict(e, o *memberlist.Node) {
	say(map[string]any{"type": "conflict", "name": e.Name, "other": o.Address()})
}
func (p *peer) AckPayload() []byte { return []byte("ack of Go") }
func (p *peer) NotifyPingComplete(n *memberlist.Node, rtt time.Duration, b []byte) {
	say(map[string]any{"type": "ping", "name": n.Name, "text": string(b)})
}

func main() {
	name := flag.String("name", "go", "name of the node")
	bind := flag.String("bind", "127.0.0.1", "address")
	port := flag.Int("port", 7946, "port")
	key := flag.String("key", "", "base64; empty: plain text")
	label := flag.String("label", "", "label of the cluster")
	protocol := flag.Int("protocol", 2, "1: version 0 of the encryption")
	compress := flag.Bool("compress", true, "LZW")
	flag.Parse()

	c := memberlist.DefaultLANConfig()
	c.Name, c.BindAddr, c.BindPort, c.AdvertiseAddr, c.AdvertisePort = *name, *bind, *port, *bind, *port
	c.Label, c.EnableCompression, c.ProtocolVersion = *label, *compress, uint8(*protocol)
	if *key != "" {
		secret, err := base64.StdEncoding.DecodeString(*key)
		check(err)
		c.SecretKey = secret
	}
	p := &peer{}
	c.Delegate, c.Events, c.Conflict, c.Ping = p, p, p, p
	var list *memberlist.Memberlist
	p.queue = &memberlist.TransmitLimitedQueue{RetransmitMult: c.RetransmitMult, NumNodes: func() int { return list.NumMembers() }}
	list, err := memberlist.Create(c)
	check(err)
	say(map[string]any{"type": "ready"})

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "join":
			count, err := list.Join([]string{rest})
			say(map[string]any{"type": "joined", "count": count, "error": fmt.Sprint(err)})
		case "members":
			alive := []string{}
			for _, n := range list.Members() {
				alive = append(alive, n.Name)
			}
			say(map[string]any{"type": "members", "alive": alive, "health": list.GetHealthScore()})
		case "meta":
			p.mu.Lock()
			p.meta = []byte(rest)
			p.mu.Unlock()
			check(list.UpdateNode(5 * time.Second))
		case "cast":
			p.queue.QueueBroadcast(cast(rest))
		case "send", "stream":
			to, text, _ := strings.Cut(rest, " ")
			for _, n := range list.Members() {
				if n.Name != to {
					continue
				}
				if verb == "send" {
					check(list.SendBestEffort(n, []byte(text)))
				} else {
					check(list.SendReliable(n, []byte(text)))
				}
			}
		case "install":
			secret, err := base64.StdEncoding.DecodeString(rest)
			check(err)
			check(c.Keyring.AddKey(secret))
			check(c.Keyring.UseKey(secret))
		case "leave":
			check(list.Leave(5 * time.Second))
			say(map[string]any{"type": "gone"})
		}
	}
}

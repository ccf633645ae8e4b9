// gosnmp, the library of Telegraf, as a poller: PORT DEVICES TICKS get|bulk|v3. Writes one line of JSON.
//
// One connection and one goroutine for each device, `atOnce` of them at work.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gosnmp/gosnmp"
)

const (
	sysUpTime     = ".1.3.6.1.2.1.1.3"
	ifHCInOctets  = ".1.3.6.1.2.1.31.1.1.1.6"
	ifHCOutOctets = ".1.3.6.1.2.1.31.1.1.1.10"
	interfaces    = 48
	atOnce        = 50
)

// What was read: varbinds, failed requests, and the counters' sum.
type tally struct {
	varbinds, bad, counters int
	octets                  float64
}

func (t *tally) add(more tally) {
	t.varbinds += more.varbinds
	t.bad += more.bad
	t.counters += more.counters
	t.octets += more.octets
}

func (t *tally) take(packet *gosnmp.SnmpPacket, err error) {
	if err != nil || packet.Error != gosnmp.NoError {
		t.bad++
		return
	}
	for _, variable := range packet.Variables {
		t.varbinds++
		if variable.Type == gosnmp.Counter64 {
			t.counters++
			t.octets += float64(variable.Value.(uint64))
		}
	}
}

func gets() [2][]string {
	var oids [2][]string
	for half := range oids {
		oids[half] = []string{sysUpTime + ".0"}
		for index := half*interfaces/2 + 1; index <= (half+1)*interfaces/2; index++ {
			oids[half] = append(oids[half], fmt.Sprintf("%s.%d", ifHCInOctets, index), fmt.Sprintf("%s.%d", ifHCOutOctets, index))
		}
	}
	return oids
}

// GETBULK names what comes before the first row: the column itself, then the row in the middle.
func bulks() [2][]string {
	var oids [2][]string
	for half, before := range []string{"", fmt.Sprintf(".%d", interfaces/2)} {
		oids[half] = []string{sysUpTime, ifHCInOctets + before, ifHCOutOctets + before}
	}
	return oids
}

func session(device, port int, v3 bool) *gosnmp.GoSNMP {
	made := &gosnmp.GoSNMP{
		Target: fmt.Sprintf("127.1.%d.%d", device>>8, device&255), Port: uint16(port),
		Community: "public", Version: gosnmp.Version2c, Timeout: 3 * time.Second, Retries: 0, MaxOids: 100,
	}
	if v3 {
		made.Version = gosnmp.Version3
		made.SecurityModel = gosnmp.UserSecurityModel
		made.MsgFlags = gosnmp.AuthPriv
		made.SecurityParameters = &gosnmp.UsmSecurityParameters{
			UserName:               "bench",
			AuthenticationProtocol: gosnmp.SHA256, AuthenticationPassphrase: "authpass123",
			PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: "privpass123",
		}
	}
	if err := made.Connect(); err != nil {
		panic(err)
	}
	return made
}

func poll(one *gosnmp.GoSNMP, ticks int, bulk bool, oids [2][]string) (read tally) {
	for tick := 0; tick < ticks; tick++ {
		for _, half := range oids {
			if bulk {
				read.take(one.GetBulk(half, 1, interfaces/2))
			} else {
				read.take(one.Get(half))
			}
		}
	}
	return
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func main() {
	port, _ := strconv.Atoi(os.Args[1])
	devices, _ := strconv.Atoi(os.Args[2])
	ticks, _ := strconv.Atoi(os.Args[3])
	mode, oids := os.Args[4], gets()
	switch mode {
	case "get", "v3":
	case "bulk":
		oids = bulks()
	default:
		panic("no mode is named " + mode)
	}
	sessions := make([]*gosnmp.GoSNMP, devices)
	for place := range sessions {
		sessions[place] = session(place+1, port, mode == "v3")
		poll(sessions[place], 1, mode == "bulk", oids) // learns the engine of version 3; not counted
	}
	begin := cpuSeconds()
	var all tally
	var lock sync.Mutex
	var done sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for _, one := range sessions {
		done.Add(1)
		go func(one *gosnmp.GoSNMP) {
			defer done.Done()
			free <- struct{}{}
			read := poll(one, ticks, mode == "bulk", oids)
			<-free
			lock.Lock()
			all.add(read)
			lock.Unlock()
		}(one)
	}
	done.Wait()
	result := map[string]any{
		"vb": all.varbinds, "bad": all.bad, "cpu": cpuSeconds() - begin, "mean": all.octets / float64(all.counters),
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}

package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, given := pairs[name]
		return value, given
	}
}

func TestAWrongValueNamesItsVariable(t *testing.T) {
	for _, c := range []struct{ name, value string }{
		{"PORT", "http"}, {"PORT", "65536"}, {"PORT", "-1"}, {"DRAIN_MS", "1s"}, {"DRAIN_MS", "60000"},
		{"TRUSTED_PROXIES", "everyone"},
	} {
		if _, err := parseConfig(environment(map[string]string{c.name: c.value})); err == nil || !strings.HasPrefix(err.Error(), c.name+" ") {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		}
	}
	read, err := parseConfig(environment(map[string]string{"PORT": ""}))
	if err != nil || read.port != defaultPort || read.trust.chain {
		t.Errorf("nothing set: %+v %v", read, err)
	}
}

// start serves on a free port of IPv4; the server's result comes once it has ended.
func start(t *testing.T, drain time.Duration) (address string, stop chan os.Signal, ended chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop, ended = make(chan os.Signal, 2), make(chan error, 1)
	go func() { ended <- serve(listener, config{drain: drain, trust: defaultTrust()}, stop) }()
	return listener.Addr().String(), stop, ended
}

func TestHeadHasTheLengthAndNotTheBody(t *testing.T) {
	address, stop, ended := start(t, 0)
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "HEAD /?format=json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.42\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: "HEAD"})
	if err != nil || answer.ContentLength != int64(len(`{"ip":"203.0.113.42"}`)) || body(t, answer) != "" {
		t.Errorf("%v %v", answer, err)
	}
	stop <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNewcomersAreServedWhileItDrains(t *testing.T) {
	address, stop, ended := start(t, time.Hour)
	stop <- syscall.SIGTERM
	for closes := false; !closes; { // the signal takes a moment to be heard
		answer, err := http.Get("http://" + address + "/")
		if err != nil || answer.StatusCode != 200 {
			t.Fatal(answer, err)
		}
		answer.Body.Close()
		closes = answer.Close
	}
	stop <- syscall.SIGTERM // a second one skips the wait
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the port is still open")
	}
}

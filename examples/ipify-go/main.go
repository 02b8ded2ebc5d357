// ipify-go tells whoever asks the IP address they ask from, as api.ipify.org does.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// What a client may take before it is let go of.
const (
	headerTimeout   = 10 * time.Second
	answerTimeout   = 10 * time.Second
	idleTimeout     = 90 * time.Second
	shutdownTimeout = 2 * time.Second
	maxHeaderBytes  = 16 << 10
)

func main() {
	read, err := parseConfig(os.LookupEnv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ipify-go:", err)
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(read.port))
	if err != nil {
		fmt.Fprintln(os.Stderr, "ipify-go:", err)
		os.Exit(1)
	}
	fmt.Println("ipify-go listens on", listener.Addr())
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	if err := serve(listener, read, stop); err != nil {
		fmt.Fprintln(os.Stderr, "ipify-go:", err)
		os.Exit(1)
	}
}

// serve answers until a signal comes; then newcomers are served for a while, and what has begun is finished. A second
// signal skips the wait.
func serve(listener net.Listener, read config, stop <-chan os.Signal) error {
	app := &service{trust: read.trust}
	server := &http.Server{
		Handler:           app,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	app.draining.Store(true)
	select {
	case <-time.After(read.drain):
	case <-stop:
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

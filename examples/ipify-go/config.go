package main

import (
	"fmt"
	"strconv"
	"time"
)

const (
	defaultPort    = 8080
	maxPort        = 65535
	defaultDrainMS = 1000
	maxDrainMS     = 25000 // a dyno has 30 seconds to stop
)

type config struct {
	port  int
	drain time.Duration // after SIGTERM, how long newcomers are still served: the edge may not have heard yet
	trust trust
}

// parseConfig reads the environment; an error names the variable.
func parseConfig(lookup func(string) (string, bool)) (config, error) {
	port, err := number(lookup, "PORT", defaultPort, maxPort)
	if err != nil {
		return config{}, err
	}
	drain, err := number(lookup, "DRAIN_MS", defaultDrainMS, maxDrainMS)
	if err != nil {
		return config{}, err
	}
	read := config{port: port, drain: time.Duration(drain) * time.Millisecond, trust: defaultTrust()}
	if list, given := lookup("TRUSTED_PROXIES"); given {
		proxies, err := parseProxies(list)
		if err != nil {
			return config{}, fmt.Errorf("TRUSTED_PROXIES %w", err)
		}
		read.trust = trust{proxies: proxies, chain: true}
	}
	return read, nil
}

func number(lookup func(string) (string, bool), name string, otherwise, most int) (int, error) {
	text, _ := lookup(name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int(value) > most {
		return 0, fmt.Errorf("%s is %q but must be a number from 0 to %d", name, text, most)
	}
	return int(value), nil
}

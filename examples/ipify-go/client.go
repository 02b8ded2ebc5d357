package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// The edge speaks from the gateway of the pod network; so these are believed when nothing else is said.
const privateRanges = "127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7"

// trust says whose X-Forwarded-For is believed. Anyone can send that header: each proxy appends the peer it saw
// itself, so the list is as true as the hosts that wrote it, read from the right.
type trust struct {
	proxies []netip.Prefix
	// chain: proxies that the list names are stepped over. Without it exactly one proxy is assumed, and its word is the
	// answer: a user on a private network must not choose what stands further left.
	chain bool
}

func defaultTrust() trust {
	proxies, err := parseProxies(privateRanges)
	if err != nil {
		panic(err)
	}
	return trust{proxies: proxies}
}

// parseProxies reads addresses and blocks, separated by commas.
func parseProxies(list string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if err != nil {
			address, ok := parseAddress(item)
			if !ok {
				return nil, fmt.Errorf("has %q, which is neither an address nor a block such as 10.0.0.0/8", item)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

func (t trust) believes(address netip.Addr) bool {
	for _, proxy := range t.proxies {
		if proxy.Contains(address) {
			return true
		}
	}
	return false
}

// client is the last address that a trusted host vouched for; lines are those of X-Forwarded-For.
func (t trust) client(peer netip.Addr, lines []string) netip.Addr {
	client := peer
	for i := len(lines) - 1; i >= 0; i-- {
		for line := lines[i]; line != ""; {
			var entry string
			line, entry = cutLast(line)
			if entry == "" {
				continue
			}
			if !t.believes(client) {
				return client
			}
			address, ok := parseEntry(entry)
			if !ok {
				return client
			}
			client = address
			if !t.chain {
				return client
			}
		}
	}
	return client
}

// cutLast cuts the right-most entry off a list.
func cutLast(list string) (rest, entry string) {
	comma := strings.LastIndexByte(list, ',')
	return list[:max(comma, 0)], strings.Trim(list[comma+1:], " \t")
}

// parseEntry reads an address as proxies write it: bare, "1.2.3.4:80", "[2001:db8::1]" or "[2001:db8::1]:80".
func parseEntry(entry string) (netip.Addr, bool) {
	if rest, ok := strings.CutPrefix(entry, "["); ok {
		inside, after, closed := strings.Cut(rest, "]")
		if !closed || after != "" && after[0] != ':' {
			return netip.Addr{}, false
		}
		return parseAddress(inside)
	}
	if strings.Count(entry, ":") == 1 {
		entry, _, _ = strings.Cut(entry, ":")
	}
	return parseAddress(entry)
}

// parseAddress takes no zone, and an IPv4 address in IPv6 form for the IPv4 address that it is.
func parseAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Addr{}, false
	}
	return address.Unmap(), true
}

func peer(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // net/http writes it, so this is not to be seen
	}
	return address.Addr().Unmap().WithZone("")
}

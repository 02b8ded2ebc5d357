package main

import (
	"net/netip"
	"testing"
)

func listed(t *testing.T, list string) trust {
	t.Helper()
	proxies, err := parseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return trust{proxies: proxies, chain: true}
}

func TestWhomTheHeaderMakesTheClient(t *testing.T) {
	edge, two, nobody := defaultTrust(), listed(t, "10.0.0.1, 10.0.0.2"), listed(t, "")
	for _, c := range []struct {
		why   string
		trust trust
		peer  string
		lines []string
		want  string
	}{
		{"a peer that is no proxy cannot say who it is", edge, "203.0.113.9", []string{"8.8.8.8"}, "203.0.113.9"},
		{"nor over IPv6", edge, "2001:db8::9", []string{"8.8.8.8"}, "2001:db8::9"},
		{"behind the edge the right-most entry", edge, "10.88.0.1", []string{"198.51.100.7"}, "198.51.100.7"},
		{"IPv6 in the form of RFC 5952", edge, "::1", []string{"2001:DB8:0::7"}, "2001:db8::7"},
		{"IPv4 in IPv6 form is IPv4", edge, "10.88.0.1", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a zone is no part of an address", edge, "10.88.0.1", []string{"fe80::1%eth0"}, "10.88.0.1"},
		{"forged entries stand further left", edge, "10.88.0.1", []string{"8.8.8.8, 1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"also on a line of their own", edge, "10.88.0.1", []string{"8.8.8.8", "198.51.100.7"}, "198.51.100.7"},
		{"a user on a private network gets that address", edge, "10.88.0.1", []string{"192.168.1.20"}, "192.168.1.20"},
		{"and cannot choose another", edge, "10.88.0.1", []string{"8.8.8.8, 192.168.1.20"}, "192.168.1.20"},
		{"without the header the peer", edge, "10.88.0.1", nil, "10.88.0.1"},
		{"empty entries are none", edge, "10.88.0.1", []string{"", " , "}, "10.88.0.1"},
		{"listed proxies are stepped over", two, "10.0.0.2", []string{"8.8.8.8, 198.51.100.7, 10.0.0.1"}, "198.51.100.7"},
		{"on lines of their own", two, "10.0.0.2", []string{"198.51.100.7", "10.0.0.1"}, "198.51.100.7"},
		{"nothing but proxies ends at the farthest", two, "10.0.0.2", []string{"10.0.0.1"}, "10.0.0.1"},
		{"a list replaces the default", two, "127.0.0.1", []string{"8.8.8.8"}, "127.0.0.1"},
		{"an empty list believes nobody", nobody, "127.0.0.1", []string{"8.8.8.8"}, "127.0.0.1"},
		{"what is no address ends the walk", edge, "10.88.0.1", []string{"8.8.8.8, unknown"}, "10.88.0.1"},
		{"wherever it stands", two, "10.0.0.2", []string{"8.8.8.8, _hidden, 10.0.0.1"}, "10.0.0.1"},
		{"a port", edge, "10.88.0.1", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"brackets", edge, "10.88.0.1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"brackets and a port", edge, "10.88.0.1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"something else after brackets", edge, "10.88.0.1", []string{"[2001:db8::7]x"}, "10.88.0.1"},
		{"brackets that do not close", edge, "10.88.0.1", []string{"[2001:db8::7"}, "10.88.0.1"},
	} {
		if got := c.trust.client(netip.MustParseAddr(c.peer), c.lines).String(); got != c.want {
			t.Errorf("%s: %s with %q is %s, not %s", c.why, c.peer, c.lines, got, c.want)
		}
	}
}

func TestPrefixesThatAreNoneAreRefused(t *testing.T) {
	for _, list := range []string{"/8", "10.0.0.0/", "10.0.0.0/33", "fc00::/129", "10.0.0.0/8x", "ten/8", "10.0.0.1,x"} {
		if _, err := parseProxies(list); err == nil {
			t.Errorf("%q is taken", list)
		}
	}
}

func FuzzClient(f *testing.F) {
	f.Add("8.8.8.8, [::1]:80,,")
	f.Fuzz(func(t *testing.T, line string) {
		for _, trust := range []trust{defaultTrust(), {proxies: defaultTrust().proxies, chain: true}} {
			if client := trust.client(netip.MustParseAddr("10.0.0.1"), []string{line}); !client.IsValid() || client.Zone() != "" {
				t.Errorf("%q makes %s", line, client)
			}
		}
	})
}

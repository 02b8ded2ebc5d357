package main

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
)

const maxCallbackChars = 128

// Values of header lines, made once: every answer has most of them.
var (
	text       = []string{"text/plain"}
	json       = []string{"application/json"}
	javascript = []string{"application/javascript"}
	anyOrigin  = []string{"*"}
	varyOrigin = []string{"Origin"}
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	closing    = []string{"close"}
)

// service answers whoever asks with the address they ask from.
type service struct {
	trust    trust
	draining atomic.Bool // newcomers are still served, each on a connection that then closes
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		s.answer(w, http.StatusMethodNotAllowed, text, "Only GET and HEAD are answered here.\n")
	case r.URL.Path != "/" && r.URL.Path != "":
		s.answer(w, http.StatusNotFound, text, "Nothing is here. Ask for / to learn your IP address.\n")
	default:
		s.tell(w, r.URL.RawQuery, s.trust.client(peer(r), r.Header["X-Forwarded-For"]))
	}
}

// tell answers in the format that the query names; an unknown one gets text.
func (s *service) tell(w http.ResponseWriter, query string, client netip.Addr) {
	format, _ := queryValue(query, "format")
	switch format {
	case "json":
		s.answer(w, http.StatusOK, json, object(client))
	case "jsonp":
		callback, given := queryValue(query, "callback")
		if !given {
			callback = "callback"
		}
		// A broken escape leaves nothing, which is no name either.
		callback, _ = url.PathUnescape(callback)
		if !isCallback(callback) {
			s.answer(w, http.StatusBadRequest, text,
				"callback must be a JavaScript name such as app.show_ip, of at most 128 characters.\n")
			return
		}
		s.answer(w, http.StatusOK, javascript, callback+"("+object(client)+");")
	default:
		s.answer(w, http.StatusOK, text, client.String())
	}
}

// answer allows any page to ask (CORS), and no cache to hand one client's answer to another.
func (s *service) answer(w http.ResponseWriter, status int, contentType []string, body string) {
	header := w.Header()
	header["Content-Type"] = contentType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	header["Access-Control-Allow-Origin"] = anyOrigin
	header["Vary"] = varyOrigin
	header["Cache-Control"] = noStore
	header["X-Content-Type-Options"] = noSniff
	if s.draining.Load() {
		header["Connection"] = closing
	}
	w.WriteHeader(status)
	// Whoever left does not need the rest.
	_, _ = w.Write([]byte(body))
}

// object has no escaping to do: no character of an address needs it.
func object(client netip.Addr) string {
	return `{"ip":"` + client.String() + `"}`
}

// queryValue is the first value of name, still encoded; later ones are ignored, as api.ipify.org does.
func queryValue(query, name string) (value string, given bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value, true
		}
	}
	return "", false
}

// isCallback holds what comes back as a script to a dotted path of ASCII names: "f", "app.show", "$".
func isCallback(name string) bool {
	if len(name) > maxCallbackChars {
		return false
	}
	atStart := true
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$':
			atStart = false
		case c >= '0' && c <= '9' && !atStart:
		case c == '.' && !atStart:
			atStart = true
		default:
			return false
		}
	}
	return !atStart
}

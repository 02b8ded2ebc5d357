package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(method, target string) *http.Response {
	app := &service{trust: defaultTrust()}
	request := httptest.NewRequest(method, target, nil)
	request.RemoteAddr = "192.0.2.1:4711"
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, request)
	return answer.Result()
}

func body(t *testing.T, answer *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ target, contentType, body string }{
		{"/", "text/plain", "192.0.2.1"},
		{"/?", "text/plain", "192.0.2.1"},
		{"/?format=text", "text/plain", "192.0.2.1"},
		{"/?format", "text/plain", "192.0.2.1"},
		{"/?callback=alert(1)", "text/plain", "192.0.2.1"},
		{"/?format=json", "application/json", `{"ip":"192.0.2.1"}`},
		{"/?a=b&format=json&format=jsonp", "application/json", `{"ip":"192.0.2.1"}`},
		{"/?format=jsonp", "application/javascript", `callback({"ip":"192.0.2.1"});`},
		{"/?format=jsonp&callback=app.show", "application/javascript", `app.show({"ip":"192.0.2.1"});`},
		{"/?callback=a.%24b&format=jsonp", "application/javascript", `a.$b({"ip":"192.0.2.1"});`},
		{"http://a.example", "text/plain", "192.0.2.1"},
		{"http://a.example?format=json", "application/json", `{"ip":"192.0.2.1"}`},
	} {
		answer := ask("GET", c.target)
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != c.contentType || body(t, answer) != c.body {
			t.Errorf("%s: %d %s", c.target, answer.StatusCode, answer.Header)
		}
	}
}

func TestACallbackThatIsNoNameIsRefused(t *testing.T) {
	for _, callback := range []string{"", "1a", "a.", ".a", "a..b", "alert(1)//", "a%28", "%3Cscript%3E", "a%", "a%2",
		"a%zz", "a%00", "a-b", "a[0]", "a+b", "a%20b", "%C3%A9", strings.Repeat("a", maxCallbackChars+1)} {
		request := httptest.NewRequest("GET", "/", nil)
		request.URL.RawQuery = "format=jsonp&callback=" + callback
		answer := httptest.NewRecorder()
		(&service{}).ServeHTTP(answer, request)
		if answer.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", callback, answer.Code)
		}
	}
	if !isCallback(strings.Repeat("a", maxCallbackChars)) {
		t.Error("the longest name is refused")
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	for _, target := range []string{"/x", "//", "http://a.example/x"} {
		if answer := ask("GET", target); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", target, answer.StatusCode)
		}
	}
	answer := ask("POST", "/")
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %s", answer.StatusCode, answer.Header)
	}
}

func TestEveryAnswerAllowsAnyOriginAndForbidsCaches(t *testing.T) {
	for _, target := range []string{"/", "/?format=json", "/?format=jsonp", "/?format=jsonp&callback=1", "/x"} {
		header := ask("GET", target).Header
		if header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Cache-Control") != "no-store" ||
			header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Length") == "" {
			t.Errorf("%s: %s", target, header)
		}
	}
}

func BenchmarkJSONBehindTheEdge(b *testing.B) {
	app := &service{trust: defaultTrust()}
	request := httptest.NewRequest("GET", "/?format=json", nil)
	request.RemoteAddr = "10.88.0.1:4711"
	request.Header.Set("X-Forwarded-For", "203.0.113.42")
	b.ReportAllocs()
	for range b.N {
		app.ServeHTTP(httptest.NewRecorder(), request)
	}
}

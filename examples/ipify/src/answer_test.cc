#include "answer.h"

#include "testing.h"

namespace ipify {
namespace {

Answer get(std::string_view target) {
  Request request;
  request.method = Method::kGet;
  request.target = target;
  return answer_for(request, "192.0.2.1");
}

int status_of(std::string_view target) {
  return static_cast<int>(get(target).status);
}

TEST("the address comes as text by default, with nothing around it") {
  CHECK_EQ(get("/").body, "192.0.2.1");
  CHECK_EQ(get("/").content_type, "text/plain");
  CHECK_EQ(get("/?").body, "192.0.2.1");
  CHECK_EQ(get("/?format=text").body, "192.0.2.1");
  CHECK_EQ(get("/?format").body, "192.0.2.1");
  CHECK_EQ(get("/?callback=alert(1)").body, "192.0.2.1");
}

TEST("format=json gives an object") {
  CHECK_EQ(get("/?format=json").body, R"({"ip":"192.0.2.1"})");
  CHECK_EQ(get("/?format=json").content_type, "application/json");
  CHECK_EQ(get("/?a=b&format=json&format=jsonp").body, R"({"ip":"192.0.2.1"})");
}

TEST("format=jsonp calls the function that was named, or callback") {
  CHECK_EQ(get("/?format=jsonp").body, R"(callback({"ip":"192.0.2.1"});)");
  CHECK_EQ(get("/?format=jsonp").content_type, "application/javascript");
  CHECK_EQ(get("/?format=jsonp&callback=f").body, R"(f({"ip":"192.0.2.1"});)");
  CHECK_EQ(get("/?callback=a.%24b&format=jsonp").body, R"(a.$b({"ip":"192.0.2.1"});)");
}

TEST("a callback that is not a name is refused") {
  for (const char* callback : {"", "1a", "a.", ".a", "a..b", "a b", "alert(1)//", "a%28", "%3Cscript%3E",
                               "a%", "a%2", "a%zz", "a%00", "a-b", "a[0]", "a+b", "\xc3\xa9"}) {
    CHECK_EQ(status_of("/?format=jsonp&callback=" + std::string(callback)), 400);
  }
}

TEST("a callback is at most kMaxCallbackChars long") {
  CHECK(is_callback(std::string(kMaxCallbackChars, 'a')));
  CHECK(!is_callback(std::string(kMaxCallbackChars + 1, 'a')));
}

TEST("other paths and methods are refused clearly") {
  CHECK_EQ(status_of("/x"), 404);
  CHECK_EQ(status_of("//"), 404);
  CHECK_EQ(status_of("*"), 404);
  Request post;
  post.target = "/";
  CHECK_EQ(static_cast<int>(answer_for(post, "192.0.2.1").status), 405);
}

TEST("the form of target that proxies are sent is understood") {
  CHECK_EQ(get("http://a.example/").body, "192.0.2.1");
  CHECK_EQ(get("http://a.example").body, "192.0.2.1");
  CHECK_EQ(get("http://a.example?format=json").body, R"({"ip":"192.0.2.1"})");
  CHECK_EQ(status_of("http://a.example/x"), 404);
  CHECK_EQ(get("/?u=http://a.example/x").body, "192.0.2.1");
}

TEST("a response carries its length and its headers") {
  std::string out;
  append_response(get("/"), {.common_headers = "Date: today\r\n"}, out);
  CHECK_EQ(
      out,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nDate: today\r\n\r\n192.0.2.1");
}

TEST("an answer to HEAD has the length of the body and not the body") {
  std::string out;
  append_response(get("/"), {.connection = ConnectionHeader::kClose, .body = BodyBytes::kOmit}, out);
  CHECK_EQ(out,
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
}

TEST("405 names the methods that work") {
  std::string out;
  append_response(answer_for(Refusal{Status::kMethodNotAllowed, "no"}), {}, out);
  CHECK(out.find("\r\nAllow: GET, HEAD\r\n") != out.npos);
}

TEST("every response allows any origin and forbids caches to keep it") {
  const std::string common = common_headers("today");
  CHECK(common.find("Access-Control-Allow-Origin: *\r\n") != common.npos);
  CHECK(common.find("Cache-Control: no-store\r\n") != common.npos);
}

}  // namespace
}  // namespace ipify

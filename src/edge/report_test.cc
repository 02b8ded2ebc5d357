#include "edge/report.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

std::string line(const Access& access) {
  std::string out;
  append_access(access, out);
  return out;
}

Access served() {
  return {.method = "GET",
          .path = "/",
          .host = "h",
          .request_id = "u",
          .fwd = "192.0.2.1",
          .dyno = "web.1",
          .connect_ms = 1,
          .service_ms = 18,
          .status = 200,
          .bytes = 13,
          .tls = true};
}

}  // namespace

TEST_CASE("a served request has Heroku's line") {
  CHECK(line(served()) ==
        "at=info method=GET path=\"/\" host=h request_id=u fwd=\"192.0.2.1\" dyno=web.1 connect=1ms "
        "service=18ms "
        "status=200 bytes=13 protocol=https");
}

TEST_CASE("a failed request names its code, and leaves empty what it never reached") {
  const Access access{.fault = Fault::kH14, .method = "GET", .path = "/", .host = "h", .status = 503};
  CHECK(line(access) ==
        "at=error code=H14 desc=\"No web processes running\" method=GET path=\"/\" host=h request_id= "
        "fwd=\"\" dyno= "
        "connect= service= status=503 bytes=0 protocol=http");
}

TEST_CASE("some codes have a word more") {
  Access access = served();
  access.fault = Fault::kH27;
  CHECK(line(access).ends_with(" sock=client"));
  access.fault = Fault::kH26;
  access.cause = "bad chunk";
  CHECK(line(access).starts_with("at=error code=H26 desc=\"Request Error\" cause=\"bad chunk\" method="));
  access.fault = Fault::kH24;
  access.status = 0;
  CHECK(line(access).find(" status= bytes=") != std::string::npos);
}

TEST_CASE("a path can't end its quotes or its line") {
  Access access = served();
  access.path = "/\" at=info\r\n\\\x7f";
  CHECK(line(access).find("path=\"/%22%20at=info%0D%0A%5C%7F\" host=") != std::string::npos);
}

TEST_CASE("no byte above ASCII reaches the reader's terminal, and a host adds no field") {
  Access access = served();
  access.path =
      "/\xc2\x85\xc2\x9b"
      "31m\xe2\x80\xa8\xe2\x80\xae\xff";
  access.host = "h status=500";
  CHECK(
      line(access).find("path=\"/%C2%85%C2%9B31m%E2%80%A8%E2%80%AE%FF\" host=h%20status=500 request_id=u ") !=
      std::string::npos);
}

TEST_CASE("a long path or host is cut, and its line stays one line of the platform's") {
  constexpr size_t kLineOfPlatform = 10'000;
  Access access = served();
  access.fault = Fault::kH18;
  for (const char c : {'a', '"', '\xff'}) {  // the latter two are written as three bytes
    const std::string path = "/" + std::string(16 << 10, c), host(16 << 10, c);
    access.path = path;
    access.host = host;
    CHECK(line(access).size() < kLineOfPlatform);
    CHECK(line(access).find("…\" host=") != std::string::npos);
    CHECK(line(access).find("… request_id=u fwd=\"192.0.2.1\" dyno=web.1") != std::string::npos);
  }
}

TEST_CASE("a path of a usual length is whole") {
  Access access = served();
  const std::string path = "/" + std::string(7999, 'a');
  access.path = path;
  CHECK(line(access).find("path=\"" + path + "\" host=h ") != std::string::npos);
}

TEST_CASE("each code has its words and its status") {
  const auto check = [](Fault fault, std::string_view code, std::string_view at, int status) {
    CAPTURE(code);
    CHECK(fault_text(fault).code == code);
    CHECK(fault_text(fault).at == at);
    CHECK(fault_text(fault).status == status);
    CHECK_FALSE(fault_text(fault).description.empty());
  };
  check(Fault::kH10, "H10", "error", 503);
  check(Fault::kH11, "H11", "error", 503);
  check(Fault::kH12, "H12", "error", 503);
  check(Fault::kH13, "H13", "error", 503);
  check(Fault::kH14, "H14", "error", 503);
  check(Fault::kH15, "H15", "error", 503);
  check(Fault::kH17, "H17", "error", 503);
  check(Fault::kH18, "H18", "error", 503);
  check(Fault::kH19, "H19", "error", 503);
  check(Fault::kH20, "H20", "error", 503);
  check(Fault::kH21, "H21", "error", 503);
  check(Fault::kH22, "H22", "error", 503);
  check(Fault::kH24, "H24", "error", 0);
  check(Fault::kH25, "H25", "error", 502);
  check(Fault::kH26, "H26", "error", 400);
  check(Fault::kH27, "H27", "warning", 499);
  check(Fault::kH28, "H28", "warning", 499);
  check(Fault::kH80, "H80", "info", 503);
  check(Fault::kH81, "H81", "info", 503);
  check(Fault::kH99, "H99", "error", 503);
}

TEST_CASE("an error page is a whole response that closes the connection") {
  const auto whole = fault_response(Fault::kH12, "some-id", false);
  CHECK(whole.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(whole.find("\r\nX-Request-Id: some-id\r\n") != std::string::npos);
  CHECK(whole.find("\r\nConnection: close\r\n") != std::string::npos);
  const auto body = whole.substr(whole.find("\r\n\r\n") + 4);
  CHECK(whole.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
  CHECK(body.find("H12 · some-id") != std::string::npos);
}

TEST_CASE("a HEAD request gets the page's head alone") {
  CHECK(fault_response(Fault::kH14, "id", true).ends_with("\r\n\r\n"));
  CHECK(plain_response(404, "There is no app", "advice", true).ends_with("\r\n\r\n"));
}

}  // namespace skiff::edge

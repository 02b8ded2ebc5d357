#include "platform/apps/buildpacks.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

Value updates(const std::vector<std::string>& names) {
  Value out = Value::array();
  for (const auto& name : names) out.push_back(Value::object({{"buildpack", name}}));
  return Value::object({{"updates", std::move(out)}});
}

}  // namespace

TEST_CASE("a built-in buildpack has Heroku's name and ours") {
  for (const char* name : {"heroku/ruby", "heroku/nodejs", "heroku/go", "heroku/java", "heroku/gradle",
                           "heroku/python", "heroku-community/static", "heroku-community/apt", "skiff/cpp",
                           "skiff/static", "skiff/apt", "skiff/go"}) {
    CAPTURE(name);
    CHECK(parse_buildpack(name).value() == name);
  }
  CHECK(parse_buildpack("go").value() == "heroku/go");
  CHECK(parse_buildpack("apt").value() == "heroku-community/apt");
  CHECK(parse_buildpack("urn:buildpack:heroku/go").value() == "heroku/go");
}

TEST_CASE("an unknown name is refused with the names that there are") {
  for (const char* name : {"heroku/cobol", "skiff/rust", "heroku-community/ruby", "./pack", "/etc",
                           "heroku/go/x", "..", "cobol"}) {
    CAPTURE(name);
    const auto refused = parse_buildpack(name);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find(std::string("There is no buildpack ") + name +
                                       ": there are heroku/ruby, ") == 0);
  }
  CHECK_FALSE(parse_buildpack("").has_value());
}

TEST_CASE("an address is http or https, of a repository, with one branch") {
  for (const char* good : {"https://github.com/heroku/heroku-buildpack-go", "https://u:p@host:8080/p.git#v2",
                           "http://10.0.0.1/pack.tgz", "https://host/pack.git#feature/x"}) {
    CAPTURE(good);
    CHECK(parse_buildpack(good).value() == good);
  }
  for (const char* bad :
       {"git@github.com:heroku/pack.git", "ssh://git@host/pack.git", "file:///etc/pack", "ext::sh -c id",
        "https:", "https://", "https:///pack", "https://host", "https://host/", "https://host/#v1",
        "https://host/p#a#b", "https://host/p#", "https://host/p#--upload-pack=x", "https://u:p@/x",
        "https://host/a b", "https://h/\n", "git://host/pack.git", "https://h\xc3\xb6st/p"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_buildpack(bad).has_value());
  }
  CHECK_FALSE(parse_buildpack("https://host/" + std::string(kMaxBuildpackBytes, 'a')).has_value());
}

TEST_CASE("a password is shown to nobody, in messages neither") {
  CHECK(show_buildpack("https://me:secret@host/p.git#v1") == "https://***@host/p.git#v1");
  CHECK(show_buildpack("https://me:se@cret@host/p") == "https://***@host/p");
  CHECK(show_buildpack("https://host/a@b") == "https://host/a@b");
  CHECK(show_buildpack("heroku/go") == "heroku/go");
  CHECK(json::encode(buildpack_installations({"https://me:secret@host/p"})).find("secret") ==
        std::string::npos);
  for (const char* bad :
       {"ftp://me:secret@host/p", "https://me:secret@host/", "https://me:secret@host/p#a#b"}) {
    CHECK(parse_buildpack(bad).error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("a list comes in order; one that comes back without its password keeps it") {
  const std::vector<std::string> present = {"heroku/go", "https://me:secret@host/p"};
  const auto list = parse_buildpack_updates(updates({"https://***@host/p", "heroku/nodejs", "go"}), present);
  REQUIRE(list.has_value());
  CHECK(*list == std::vector<std::string>{"https://me:secret@host/p", "heroku/nodejs", "heroku/go"});
  CHECK_FALSE(parse_buildpack_updates(updates({"https://***@other/p"}), present).has_value());
  CHECK(parse_buildpack_updates(updates({}), present).value().empty());
}

TEST_CASE("a list has no buildpack twice, and no more than so many") {
  CHECK(parse_buildpack_updates(updates({"go", "heroku/go"}), {}).error().message ==
        "The buildpack heroku/go is named twice.");
  std::vector<std::string> many;
  for (size_t i = 0; i <= kMaxBuildpacks; ++i) many.push_back("https://host/" + std::to_string(i));
  CHECK_FALSE(parse_buildpack_updates(updates(many), {}).has_value());
  many.pop_back();
  CHECK(parse_buildpack_updates(updates(many), {}).value() == many);
  CHECK_FALSE(parse_buildpack_updates(Value::object(), {}).has_value());
  CHECK_FALSE(parse_buildpack_updates(*json::parse(R"({"updates":[{"buildpack":3}]})"), {}).has_value());
}

TEST_CASE("they are listed as Heroku lists them, and written for the build one a line") {
  CHECK(json::encode(buildpack_installations({"heroku/go", "https://host/p"})) ==
        R"([{"ordinal":0,"buildpack":{"name":"heroku/go","url":"urn:buildpack:heroku/go"}},)"
        R"({"ordinal":1,"buildpack":{"name":"https://host/p","url":"https://host/p"}}])");
  CHECK(buildpack_lines({"heroku/go", "https://u:p@host/p"}) == "heroku/go\nhttps://u:p@host/p\n");
}

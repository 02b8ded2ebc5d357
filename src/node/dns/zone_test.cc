#include "node/dns/zone.h"

#include <doctest/doctest.h>

#include "node/network/netlink.h"
#include "testing/cost.h"

using namespace skiff;
using namespace skiff::node;

namespace {
json::Value parse(const char* text) {
  return *json::parse(text);
}

struct Cluster {
  std::map<std::string, json::Value> services, slices;
  bool complete = true;
  ClusterZone zone{"cluster.local"};
  Cluster() {
    services["shop/web"] =
        parse(R"({"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.43.0.9",
      "ports":[{"name":"http","port":80,"protocol":"TCP"}]}})");
    services["shop/db"] = parse(R"({"metadata":{"name":"db","namespace":"shop"},"spec":{"clusterIP":"None",
      "ports":[{"name":"sql","port":5432}]}})");
    services["shop/ext"] =
        parse(R"({"metadata":{"name":"ext","namespace":"shop"},"spec":{"type":"ExternalName",
      "externalName":"example.com"}})");
    slices["shop/db-1"] =
        parse(R"({"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"db"}},
      "ports":[{"name":"sql","port":5432,"protocol":"TCP"}],"endpoints":[
      {"addresses":["10.42.0.5"],"hostname":"db-0","conditions":{"ready":true}},
      {"addresses":["10.42.0.6"],"conditions":{"ready":false}}]})");
  }
  void add_alias(const std::string& name, const std::string& target) {
    auto service = parse(R"({"metadata":{"namespace":"ours"},"spec":{"type":"ExternalName"}})");
    service.edit("metadata").set("name", name);
    service.edit("spec").set("externalName", target);
    services["ours/" + name] = service;
  }
  std::optional<DnsAnswer> ask(const char* name, DnsType type = DnsType::kA) {
    const ObjectIndex index(services, slices);
    return zone.answer({services, slices, index, complete}, name, static_cast<uint16_t>(type));
  }
};
}  // namespace

TEST_CASE("a service's name is its cluster address, in any case of letters") {
  Cluster cluster;
  const auto answer = cluster.ask("WEB.shop.svc.Cluster.local");
  REQUIRE(answer->records.size() == 1);
  CHECK(answer->records[0].data == encode_address(*parse_ipv4("10.43.0.9")));
  CHECK(cluster.ask("web.shop.svc.cluster.local", DnsType::kAaaa)->code == DnsCode::kOk);
  CHECK(cluster.ask("web.shop.svc.cluster.local", DnsType::kAaaa)->records.empty());
}

TEST_CASE("a headless service gives its ready pods, by name too") {
  Cluster cluster;
  CHECK(cluster.ask("db.shop.svc.cluster.local")->records.size() == 1);
  CHECK(cluster.ask("db-0.db.shop.svc.cluster.local")->records.size() == 1);
  CHECK(cluster.ask("db-9.db.shop.svc.cluster.local")->code == DnsCode::kNoName);
}

TEST_CASE("named ports have SRV records") {
  Cluster cluster;
  const auto web = cluster.ask("_http._tcp.web.shop.svc.cluster.local", DnsType::kSrv);
  CHECK(web->records[0].data == encode_srv(80, "web.shop.svc.cluster.local"));
  const auto db = cluster.ask("_sql._tcp.db.shop.svc.cluster.local", DnsType::kSrv);
  CHECK(db->records[0].data == encode_srv(5432, "db-0.db.shop.svc.cluster.local"));
}

TEST_CASE("unknown names of the zone do not exist, other names are not ours") {
  Cluster cluster;
  CHECK(cluster.ask("nope.shop.svc.cluster.local")->code == DnsCode::kNoName);
  CHECK(cluster.ask("nope.cluster.local")->code == DnsCode::kNoName);
  CHECK(!cluster.ask("example.com"));
  CHECK(!cluster.ask("cluster.local.example.com"));
}

TEST_CASE("external names are aliases, addresses lead back to services, pods have names") {
  Cluster cluster;
  CHECK(cluster.ask("ext.shop.svc.cluster.local")->records[0].type == DnsType::kCname);
  CHECK(cluster.ask("9.0.43.10.in-addr.arpa", DnsType::kPtr)->records[0].data ==
        encode_name("web.shop.svc.cluster.local"));
  CHECK(!cluster.ask("9.9.9.9.in-addr.arpa", DnsType::kPtr));
  CHECK(cluster.ask("10-42-0-5.shop.pod.cluster.local")->records.size() == 1);
}

TEST_CASE("an external name comes with what the zone knows of it, or says what must be asked elsewhere") {
  Cluster cluster;
  cluster.add_alias("db", "web.shop.svc.cluster.local.");
  cluster.add_alias("twice", "db.ours.svc.cluster.local");
  cluster.add_alias("gone", "nope.shop.svc.cluster.local");
  const auto inside = cluster.ask("twice.ours.svc.cluster.local");
  REQUIRE(inside->records.size() == 3);
  CHECK(inside->records[1].name == "db.ours.svc.cluster.local");
  CHECK(inside->records[2].name == "web.shop.svc.cluster.local");
  CHECK(inside->records[2].data == encode_address(*parse_ipv4("10.43.0.9")));
  CHECK(inside->alias.empty());
  CHECK(cluster.ask("gone.ours.svc.cluster.local")->code == DnsCode::kNoName);
  CHECK(cluster.ask("ext.shop.svc.cluster.local")->alias == "example.com");
  CHECK(cluster.ask("ext.shop.svc.cluster.local", DnsType::kCname)->alias.empty());
  CHECK(cluster.ask("ext.shop.svc.cluster.local", DnsType::kTxt)->alias.empty());
}

TEST_CASE("external names that lead in a circle are a failure") {
  Cluster cluster;
  cluster.add_alias("a", "b.ours.svc.cluster.local");
  cluster.add_alias("b", "a.ours.svc.cluster.local");
  CHECK(cluster.ask("a.ours.svc.cluster.local")->code == DnsCode::kFailure);
}

TEST_CASE("a resolver's addresses are taken over under the name that was asked for") {
  const std::string query = encode_dns_query("example.com", static_cast<uint16_t>(DnsType::kA));
  CHECK(parse_dns_query(query)->name == "example.com");
  std::string reply = query;
  reply[2] = '\x81';
  reply[7] = 3;  // answers: an alias and two addresses of it, with compressed names
  const std::string head("\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04", 12);
  reply += head + std::string("\x01z\xc0\x0c", 4);
  for (const char last : {7, 8}) {
    reply += std::string("\x01z\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03", 17) + last;
  }
  const auto answer = parse_dns_addresses(reply, "alias", static_cast<uint16_t>(DnsType::kA));
  REQUIRE(answer.has_value());
  REQUIRE(answer->records.size() == 2);
  CHECK(answer->records[1].name == "alias");
  CHECK(answer->records[1].data == encode_address(*parse_ipv4("1.2.3.8")));
  for (size_t size = 0; size < reply.size(); ++size) {
    CHECK(!parse_dns_addresses(reply.substr(0, size), "alias", static_cast<uint16_t>(DnsType::kA)));
  }
}

TEST_CASE("queries are parsed and answers encoded") {
  std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  query += encode_name("a.b");
  query += std::string("\x00\x01\x00\x01", 4);
  const auto question = parse_dns_query(query);
  REQUIRE(question.has_value());
  CHECK(question->name == "a.b");
  CHECK(question->id == 0x1234);
  DnsAnswer answer;
  for (int i = 0; i < 100; ++i) answer.records.push_back({"a.b", DnsType::kA, encode_address(1)});
  const auto packet = encode_dns_answer(*question, answer, 512);
  CHECK(packet.size() <= 512);
  CHECK((packet[2] & 0x02) != 0);
}

TEST_CASE("malformed queries are refused at every length") {
  std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01", 12);
  query += encode_name("abc.def") + std::string("\x00\x01\x00\x01", 4);
  for (size_t size = 0; size < query.size(); ++size) CHECK(!parse_dns_query(query.substr(0, size)));
  CHECK(!parse_dns_query(std::string(12, '\xff')));
}

TEST_CASE("before the cluster has told of all its objects no name of theirs is denied") {
  Cluster cluster;
  cluster.complete = false;
  for (const char* name :
       {"nope.shop.svc.cluster.local", "nope.svc.cluster.local", "db-9.db.shop.svc.cluster.local",
        "_no._tcp.web.shop.svc.cluster.local", "ours.ext.svc.cluster.local"}) {
    CAPTURE(name);
    const auto answer = cluster.ask(name);
    CHECK(answer->code == DnsCode::kFailure);
    CHECK(answer->zone.empty());  // nothing to remember
  }
  CHECK(cluster.ask("7.0.43.10.in-addr.arpa", DnsType::kPtr)->code == DnsCode::kFailure);
  cluster.slices.clear();
  CHECK(cluster.ask("db.shop.svc.cluster.local")->code == DnsCode::kFailure);
  // What is known is told, what is no object's name is denied, and other names are still not ours.
  CHECK(cluster.ask("web.shop.svc.cluster.local")->records.size() == 1);
  CHECK(cluster.ask("nope.cluster.local")->code == DnsCode::kNoName);
  CHECK(!cluster.ask("example.com"));
}

namespace {
// So many headless Services of one endpoint each.
struct Crowd : Cluster {
  explicit Crowd(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = "s" + std::to_string(i);
      services["crowd/" + name] = parse(R"({"metadata":{"namespace":"crowd"},"spec":{"clusterIP":"None"}})");
      services["crowd/" + name].edit("metadata").set("name", name);
      auto& slice = slices["crowd/" + name] = parse(R"({"metadata":{"namespace":"crowd"},"endpoints":[{}]})");
      slice.edit("metadata").edit("labels").set("kubernetes.io/service-name", name);
      const std::string ip = "10.42." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 10);
      slice.edit("endpoints").edit_at(0).set("addresses", json::Value::array({ip}));
    }
    index = ObjectIndex(services, slices);
  }
  ObjectIndex index;
  std::chrono::nanoseconds cost(const std::string& name, DnsType type) const {
    return testing::cost_of(
        name,
        [&](const std::string& asked) {
          for (int i = 0; i < 200; ++i)
            static_cast<void>(zone.answer({services, slices, index}, asked, static_cast<uint16_t>(type)));
        },
        5);
  }
};
}  // namespace

TEST_CASE("a question costs what it finds, not what the cluster has") {
  const Crowd few(100), many(3000);
  for (const auto& [name, type] : {std::pair{"15.0.42.10.in-addr.arpa", DnsType::kPtr},
                                   {"9.9.9.9.in-addr.arpa", DnsType::kPtr},
                                   {"s5.crowd.svc.cluster.local", DnsType::kA},
                                   {"10-42-0-15.s5.crowd.svc.cluster.local", DnsType::kA},
                                   {"nope.svc.cluster.local", DnsType::kA}}) {
    CAPTURE(name);
    CHECK(many.cost(name, type) < 10 * few.cost(name, type) + std::chrono::milliseconds(5));
  }
}

TEST_CASE("an address leads to the endpoint that has it now") {
  Cluster cluster;
  const auto ptr = [&] { return cluster.ask("5.0.42.10.in-addr.arpa", DnsType::kPtr); };
  CHECK(ptr()->records[0].data == encode_name("db-0.db.shop.svc.cluster.local"));
  // Not of what is not ready.
  CHECK(!cluster.ask("6.0.42.10.in-addr.arpa", DnsType::kPtr));
  cluster.services["shop/db"].edit("spec").set("publishNotReadyAddresses", true);
  CHECK(cluster.ask("6.0.42.10.in-addr.arpa", DnsType::kPtr)->records[0].data ==
        encode_name("10-42-0-6.db.shop.svc.cluster.local"));
}

TEST_CASE("a headless service of very many endpoints answers with as many as an answer holds") {
  Cluster cluster;
  auto& slice = cluster.slices["shop/db-1"];
  json::Value endpoints = json::Value::array();
  for (int i = 0; i < 20'000; ++i) {
    const std::string ip = "10.50." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    endpoints.push_back(json::Value::object({{"addresses", json::Value::array({ip})}}));
  }
  slice.set("endpoints", endpoints);
  CHECK(cluster.ask("db.shop.svc.cluster.local")->records.size() == 4096);
  CHECK(cluster.ask("_sql._tcp.db.shop.svc.cluster.local", DnsType::kSrv)->records.size() == 4096);
}

#include "node/dns/zone.h"

#include <doctest/doctest.h>

#include "node/network/netlink.h"

using namespace skiff;
using namespace skiff::node;

namespace {
json::Value parse(const char* text) {
  return *json::parse(text);
}

struct Cluster {
  std::map<std::string, json::Value> services, slices;
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
  std::optional<DnsAnswer> ask(const char* name, DnsType type = DnsType::kA) {
    return zone.answer({services, slices}, name, static_cast<uint16_t>(type));
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

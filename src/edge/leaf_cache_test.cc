// Which certificate a client gets for the name that it asks for.
#include "edge/leaf_cache.h"

#include <doctest/doctest.h>
#include <openssl/x509v3.h>

#include <thread>

namespace skiff::edge {

namespace {

const WallTime kNow = WallTime(std::chrono::hours(24 * 365 * 50));

std::shared_ptr<const RouteTable> routes(const std::vector<std::string>& hosts) {
  RouteTable table;
  for (const auto& host : hosts) {
    if (host.starts_with('*')) {
      table.wildcards[host.substr(1)] = {{}};
    } else {
      table.hosts[host] = {{}};
    }
  }
  return std::make_shared<const RouteTable>(std::move(table));
}

net::KeyPair authority() {
  return net::make_authority("serving", kNow, net::Signs::kServers).value();
}

// With the default's names of an instance whose domain is apps.example.
LeafCache cache(const std::vector<std::string>& hosts) {
  return LeafCache(authority(), "apps.example", routes(hosts));
}

bool names(const Leaf& leaf, const std::string& host) {
  return X509_check_host(leaf.certificate.get(), host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace

TEST_CASE("a routed host gets a certificate of its own, whatever the domain and the case") {
  auto leaves = cache({"shop.localhost", "www.elsewhere.org"});
  for (const std::string host : {"shop.localhost", "www.elsewhere.org"}) {
    const auto leaf = leaves.find(host, kNow).value();
    CHECK(names(*leaf, host));
    CHECK_FALSE(names(*leaf, "localhost"));
    CHECK(leaves.find(host, kNow).value() == leaf);
  }
  CHECK(leaves.find("Shop.LocalHost.", kNow).value() == leaves.find("shop.localhost", kNow).value());
}

TEST_CASE("a name waits while it is not known whether it is routed") {
  RouteTable first;
  first.complete = false;
  first.hosts["api.apps.example"] = {{}};
  LeafCache leaves(authority(), "apps.example", std::make_shared<const RouteTable>(std::move(first)));
  CHECK(leaves.must_wait("shop.apps.example"));
  for (const char* known : {"", "localhost", "apps.example", "API.apps.example", "127.0.0.1"}) {
    CHECK_FALSE(leaves.must_wait(known));
  }
  leaves.set_routes(routes({}));
  CHECK_FALSE(leaves.must_wait("shop.apps.example"));
}

TEST_CASE("a host below a wildcard shares the wildcard's certificate") {
  auto leaves = cache({"*.elsewhere.org", "www.elsewhere.org"});
  const auto leaf = leaves.find("a.elsewhere.org", kNow).value();
  CHECK(names(*leaf, "b.elsewhere.org"));
  CHECK(leaves.find("b.elsewhere.org", kNow).value() == leaf);
  CHECK(leaves.find("www.elsewhere.org", kNow).value() != leaf);
  CHECK_FALSE(names(*leaves.find("a.b.elsewhere.org", kNow).value(), "a.b.elsewhere.org"));
}

TEST_CASE("what is not routed, or is no host name, gets the default certificate") {
  auto leaves = cache({"shop.localhost", "127.0.0.1", "[::1]", "", "*.elsewhere.org"});
  const auto usual = leaves.find("", kNow).value();
  for (const std::string host : {"localhost", "apps.example", "any.apps.example"}) CHECK(names(*usual, host));
  CHECK(X509_check_ip_asc(usual->certificate.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(usual->certificate.get(), "::1", 0) == 1);
  const std::string strange[] = {"127.0.0.1",
                                 "[::1]",
                                 "nobody.localhost",
                                 "*.elsewhere.org",
                                 ".",
                                 "a,DNS:b.elsewhere.org",
                                 "\n.elsewhere.org",
                                 "elsewhere.org",
                                 std::string(300, 'a') + ".elsewhere.org",
                                 std::string("a\0b.elsewhere.org", 17)};
  for (const auto& host : strange) CHECK(leaves.find(host, kNow).value() == usual);
}

TEST_CASE("a host gets its certificate when it is routed, and loses it with its route") {
  auto leaves = cache({});
  CHECK_FALSE(names(*leaves.find("shop.localhost", kNow).value(), "shop.localhost"));
  leaves.set_routes(routes({"shop.localhost"}));
  CHECK(names(*leaves.find("shop.localhost", kNow).value(), "shop.localhost"));
  leaves.set_routes(routes({}));
  CHECK_FALSE(names(*leaves.find("shop.localhost", kNow).value(), "shop.localhost"));
}

TEST_CASE("a certificate is made anew long before it ends, and when the clock was set back") {
  auto leaves = cache({"shop.localhost"});
  const auto first = leaves.find("shop.localhost", kNow).value();
  CHECK(leaves.find("shop.localhost", kNow + kLeafRenewal - std::chrono::seconds(1)).value() == first);
  const WallTime later = kNow + kLeafRenewal;
  const auto second = leaves.find("shop.localhost", later).value();
  CHECK(second != first);
  time_t end = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(later));
  CHECK(X509_cmp_time(X509_get0_notAfter(first->certificate.get()), &end) > 0);
  CHECK(leaves.find("shop.localhost", kNow).value() != second);
}

TEST_CASE("of more hosts than are kept, the least recently used is made anew") {
  LeafCache leaves(authority(), "localhost", routes({"a.localhost", "b.localhost", "c.localhost"}), 2);
  const auto find = [&](const char* host) { return leaves.find(host, kNow).value(); };
  const auto a = find("a.localhost"), b = find("b.localhost");
  CHECK(find("a.localhost") == a);
  CHECK(names(*find("c.localhost"), "c.localhost"));
  CHECK(find("a.localhost") == a);
  CHECK(find("b.localhost") != b);
}

TEST_CASE("threads that ask for one host at once get the same certificate") {
  auto leaves = cache({"shop.localhost"});
  std::shared_ptr<const Leaf> got[4];
  {
    std::vector<std::jthread> threads;
    for (auto& one : got) {
      threads.emplace_back([&leaves, &one] { one = leaves.find("shop.localhost", kNow).value(); });
    }
  }
  for (const auto& one : got) CHECK(one == got[0]);
}

TEST_CASE("an authority whose halves don't belong together is told") {
  LeafCache leaves({authority().certificate_pem, authority().key_pem}, "localhost", routes({}));
  CHECK(leaves.find("", kNow).error().code == Code::kInvalidArgument);
}

}  // namespace skiff::edge

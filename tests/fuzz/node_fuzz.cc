// What the node reads from outside: DNS queries of pods, lines and queries of logs, names, configurations and
// heads of images, recipes of stack layers, resolv.conf. No crash; answers keep to their limits.
#include <algorithm>

#include "base/json.h"
#include "input.h"
#include "node/dns/message.h"
#include "node/images/layer_recipe.h"
#include "node/images/layout.h"
#include "node/images/reference.h"
#include "node/images/tar_heads.h"
#include "node/logs/cri.h"
#include "node/pod/pod_files.h"

namespace {

using namespace skiff;

void dns(std::string_view packet) {
  const auto reply = node::parse_dns_addresses(packet, "x", static_cast<uint16_t>(node::DnsType::kA));
  if (reply) fuzz::require(reply->records.size() * 4 < packet.size());
  const auto question = node::parse_dns_query(packet);
  if (!question) return;
  node::DnsAnswer answer;
  answer.zone = "cluster.local";
  for (int i = 0; i < 50; ++i) {
    answer.records.push_back(
        {question->name, node::DnsType::kA, node::encode_address(static_cast<uint32_t>(i))});
  }
  const size_t limit = std::max<size_t>(question->udp_size, 512);
  fuzz::require(node::encode_dns_answer(*question, answer, limit).size() <= limit);
}

void log(fuzz::Input& input) {
  const auto query = node::parse_log_query(input.part(), WallTime(std::chrono::hours(500000)));
  if (!query) return;
  node::LogFormatter formatter(*query);
  std::string out;
  for (std::string_view line = input.part(); !line.empty(); line = input.part()) {
    if (const auto parsed = node::parse_log_line(line)) fuzz::require(parsed->text.size() <= line.size());
    if (!formatter.add(line, out)) break;
  }
  if (query->limit_bytes) fuzz::require(out.size() <= static_cast<size_t>(*query->limit_bytes));
}

void image(std::string_view text) {
  const auto reference = node::parse_reference(std::string(text));
  if (!reference) return;
  const auto again = node::parse_reference(reference->canonical());
  fuzz::require(again && again->canonical() == reference->canonical());
}

// What a layer's recipe and name, and the heads of its tar, say. A head is found however the bytes are cut.
void stack(std::string_view text) {
  const auto recipe = node::parse_layer_recipe("name", text);
  if (recipe) fuzz::require(!recipe->run.empty() || !recipe->build.empty());
  const auto tag = node::parse_stack_tag(std::string(text));
  if (tag) fuzz::require(std::ranges::all_of(tag->layers, node::is_layer_name));
  node::TarHeads whole, halves;
  const bool found = !whole.look(text);
  const bool first = !halves.look(text.substr(0, text.size() / 2));
  fuzz::require(found == (first || !halves.look(text.substr(text.size() / 2))));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  switch (input.choose(5)) {
    case 0:
      dns(input.rest());
      break;
    case 1:
      log(input);
      break;
    case 2:
      image(input.rest());
      break;
    case 3:
      if (const auto config = json::parse(input.rest())) (void)node::parse_image_config(*config);
      break;
    default:
      (void)node::parse_resolv_conf(std::string(input.rest()));
      stack(input.rest());
  }
  return 0;
}

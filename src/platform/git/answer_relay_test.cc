#include "platform/git/answer_relay.h"

#include <doctest/doctest.h>

using namespace skiff::platform;

namespace {
const std::string kReport = packet_line(
    "\1"
    "unpack index-pack abnormal exit");
}

TEST_CASE("a packet line counts itself") {
  CHECK(packet_line("# service=git-receive-pack\n") == "001f# service=git-receive-pack\n");
}

TEST_CASE("an answer without a sentence of ours comes through as it is, however it is cut") {
  const std::string answer = packet_line("\2hello\n") + "0000" + kReport + "0000";
  for (size_t piece = 1; piece <= answer.size(); ++piece) {
    AnswerRelay relay;
    std::string out;
    for (size_t at = 0; at < answer.size(); at += piece)
      out += relay.add(std::string_view(answer).substr(at, piece));
    CHECK(out + relay.finish("") == answer);
  }
}

TEST_CASE("a sentence stands before the end of the answer") {
  AnswerRelay relay;
  CHECK(relay.add(kReport + "0000") == kReport);
  CHECK(relay.finish("too large") == packet_line("\2\n !     too large\n") + "0000");
}

TEST_CASE("an answer that broke off ends with the sentence") {
  AnswerRelay relay;
  CHECK(relay.finish("too large") == packet_line("\2\n !     too large\n") + "0000");
}

TEST_CASE("a pusher who reads no messages gets none; half a packet stays half") {
  AnswerRelay plain;
  CHECK(plain.add(packet_line("unpack ok\n") + "0000") == packet_line("unpack ok\n"));
  CHECK(plain.finish("too large") == "0000");
  AnswerRelay cut;
  CHECK(cut.add("00ff\2half") == "");
  CHECK(cut.finish("too large") == "00ff\2half");
}

TEST_CASE("what is no packet goes on too") {
  AnswerRelay relay;
  const std::string text = "fatal: no";
  CHECK(relay.add(text) + relay.finish("") == text);
}

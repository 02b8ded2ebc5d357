// What the instances of one machine must know of each other: who has which address ranges, and where its data
// lies.
//
// A folder of the machine, /var/lib/skiff-machine (SKIFF_MACHINE names another), with a file for each
// instance. Two instances that start together, or of which one is down, would otherwise pick the same ranges.
// A claim holds until its data directory is gone, or holds another instance, and its bridge is gone. `skiff
// remove` releases it: others then take these ranges only when none else is left, so that the instance most
// likely finds them again.
//
//   auto machine = Machine::open();       // locked against other starts until it goes
//   claim_ranges(*machine, instance);     // at each start
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "skiff/instance.h"

namespace skiff {

struct Claim {
  std::string id;
  std::string data;  // directory, absolute
  std::string pod_range, service_range;
  bool released = false;
};

std::string machine_directory();

class Machine {
 public:
  // Waits a while for another start that holds it; Unavailable then.
  static Result<Machine> open();
  // All that hold; forgets those whose instance has left no trace.
  std::vector<Claim> claims();
  // Those of data directories that are gone.
  std::vector<Claim> orphans();
  // Why it can't be told of some whether their data directory is gone: they count as there.
  std::vector<std::string> unclear();
  Result<void> write(const Claim& claim);
  Result<void> release(const std::string& id);
  Result<void> drop(const std::string& id);

 private:
  explicit Machine(io::UniqueFd lock) : lock_(std::move(lock)) {}
  std::vector<Claim> read_all() const;
  io::UniqueFd lock_;
};

// Keeps the instance's ranges when nobody else has them, else gives it others; claims them. Conflict when
// another's are there but the instance's own network is still up with the old ones, or when the data
// directory is a copy of an instance that is still there: both say what to do.
Result<void> claim_ranges(Machine& machine, Instance& instance);

}  // namespace skiff

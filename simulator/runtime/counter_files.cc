#include "counter_files.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iomanip>

#include "machine.h"

namespace alexnet::simulator {
namespace {

// The kinds of instructions, in the order in which they are written.
constexpr const char* kKinds[] = {"ffma", "mma",     "ldmatrix", "lds", "sts",    "ldg",
                                  "stg",  "cpAsync", "atomic",   "bar", "branch", "other"};

std::string kindOf(const std::string& opcode) {
  const auto begins = [&](const char* start) { return opcode.rfind(start, 0) == 0; };
  const auto names = [&](const char* part) { return opcode.find(part) != std::string::npos; };
  if (begins("fma.") && names(".f32")) return "ffma";
  if (begins("mma.")) return "mma";
  if (begins("ldmatrix.")) return "ldmatrix";
  if (begins("ld.shared")) return "lds";
  if (begins("st.shared")) return "sts";
  if (begins("ld.global")) return "ldg";
  if (begins("st.global")) return "stg";
  if (begins("cp.async") && names(".global")) return "cpAsync";
  if (begins("atom.") || begins("red.")) return "atomic";
  if (begins("bar.") || begins("barrier.")) return names(".warp") ? "other" : "bar";
  if (begins("bra") || begins("brx") || begins("ret") || begins("exit") || begins("call")) return "branch";
  return "other";
}

struct Sums {
  std::map<std::string, uint64_t> executed;
  std::map<std::string, Counters::Access> wavefronts, sectors;
};

void add(Counters::Access& to, const Counters::Access& more) {
  to.counted += more.counted;
  to.ideal += more.ideal;
}

Sums sumsOf(const Counters& counters, const Program& program) {
  Sums sums;
  for (size_t i = 0; i < counters.counts().size(); ++i) {
    const Counters::Count& count = counters.counts()[i];
    const std::string kind = kindOf(program.texts[i]);
    sums.executed[kind] += count.executed;
    if (count.wavefronts.ideal > 0) add(sums.wavefronts[kind], count.wavefronts);
    if (count.sectors.ideal > 0) add(sums.sectors[kind], count.sectors);
  }
  return sums;
}

std::ostream& operator<<(std::ostream& out, const Dimensions& d) {
  return out << '[' << d.x << ", " << d.y << ", " << d.z << ']';
}

std::ostream& operator<<(std::ostream& out, const Counters::Access& access) {
  return out << "{\"counted\": " << access.counted << ", \"ideal\": " << access.ideal << '}';
}

void writeAccesses(std::ostream& out, const char* name, const std::map<std::string, Counters::Access>& accesses) {
  out << "  \"" << name << "\": {";
  const char* comma = "";
  for (const auto& [kind, access] : accesses) {
    out << comma << '"' << kind << "\": " << access;
    comma = ", ";
  }
  out << "},\n";
}

// What touches memory or multiplies matrices, by source line.
void writeLines(std::ostream& out, const Counters& counters, const Program& program, const ptx::Module& module) {
  std::map<std::pair<std::string, std::string>, Counters::Count> lines;
  for (size_t i = 0; i < counters.counts().size(); ++i) {
    const Counters::Count& count = counters.counts()[i];
    const bool told = count.wavefronts.ideal > 0 || count.sectors.ideal > 0 || kindOf(program.texts[i]) == "mma";
    if (count.executed == 0 || !told) continue;
    Counters::Count& sum = lines[{describe(program.locations[i], module), program.texts[i]}];
    sum.executed += count.executed;
    add(sum.wavefronts, count.wavefronts);
    add(sum.sectors, count.sectors);
  }
  out << "  \"lines\": [";
  const char* comma = "";
  for (const auto& [line, count] : lines) {
    out << comma << "\n    {\"at\": " << std::quoted(line.first) << ", \"opcode\": " << std::quoted(line.second)
        << ", \"executed\": " << count.executed;
    if (count.wavefronts.ideal > 0) out << ", \"wavefronts\": " << count.wavefronts;
    if (count.sectors.ideal > 0) out << ", \"sectors\": " << count.sectors;
    out << '}';
    comma = ",";
  }
  out << "]\n";
}

}  // namespace

CounterFiles::CounterFiles() {
  if (const char* folder = std::getenv("ALEXNET_SIMULATED_COUNTERS")) folder_ = folder;
  if (folder_.empty()) return;
  std::atexit([] {
    Machine& machine = Machine::instance();
    const std::lock_guard<Turns> lock(machine.mutex);
    machine.counterFiles.write(machine);
  });
}

Counters* CounterFiles::of(Kernel& kernel, const Launch& launch) {
  if (folder_.empty()) return nullptr;
  const Dimensions &grid = launch.grid, &block = launch.block;
  const Shape shape = {grid.x, grid.y, grid.z, block.x, block.y, block.z, launch.dynamicSharedBytes};
  const auto found =
      counted_.try_emplace({kernel.name, shape}, Counted{&kernel, launch, Counters(*launch.program)}).first;
  return &found->second.counters;
}

void CounterFiles::write(Machine& machine) const {
  std::ofstream out(folder_ + "/" + std::to_string(getpid()) + ".json");
  out << '[';
  const char* comma = "";
  for (const auto& [key, counted] : counted_) {
    const Program& program = *counted.launch.program;
    const ptx::Module& module = *machine.moduleFor(*counted.kernel->image);
    const Counters& counters = counted.counters;
    Sums sums = sumsOf(counters, program);
    out << comma << "{\n  \"kernel\": " << std::quoted(readableName(key.first)) << ",\n  \"ptx\": " << module.target
        << ",\n  \"grid\": " << counted.launch.grid << ",\n  \"block\": " << counted.launch.block
        << ",\n  \"sharedBytes\": " << program.staticSharedBytes + counted.launch.dynamicSharedBytes
        << ",\n  \"launches\": " << counters.launches() << ",\n  \"instructions\": {";
    for (const char* kind : kKinds)
      out << (kind == kKinds[0] ? "" : ", ") << '"' << kind << "\": " << sums.executed[kind];
    out << "},\n";
    writeAccesses(out, "wavefronts", sums.wavefronts);
    writeAccesses(out, "sectors", sums.sectors);
    const Counters::Distinct& distinct = counters.distinct();
    out << "  \"distinctSectors\": {\"readByBlocks\": " << distinct.readByBlocks << ", \"read\": " << distinct.read
        << ", \"written\": " << distinct.written << "},\n";
    writeLines(out, counters, program, module);
    out << '}';
    comma = ",\n";
  }
  out << "]\n";
}

}  // namespace alexnet::simulator

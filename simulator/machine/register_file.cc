#include "register_file.h"

#include <algorithm>
#include <vector>

#include "warp.h"

namespace alexnet::simulator {
namespace {

// From the first to the last statement that names a register.
struct Interval {
  const std::string* name = nullptr;
  ptx::Type type = ptx::Type::none;
  size_t first = 0;
  size_t last = 0;
  bool beginsWithWrite = false;
};

bool writesFirstOperand(const std::string& opcode) {
  for (const char* other :
       {"st.", "red.", "bra", "brx", "bar", "call", "cp.", "exit", "ret", "trap", "stmatrix", "prefetch"}) {
    if (opcode.rfind(other, 0) == 0) return false;
  }
  return true;
}

class Intervals {
 public:
  explicit Intervals(const ptx::Function& function) : function_(function) {
    for (size_t i = 0; i < function.statements.size(); ++i) visit(i);
    extendOverLoops();
  }

  std::vector<Interval> take() {
    std::vector<Interval> result;
    result.reserve(intervals_.size());
    for (auto& [name, interval] : intervals_) result.push_back(interval);
    std::sort(result.begin(), result.end(), [](const Interval& a, const Interval& b) {
      return a.first != b.first ? a.first < b.first : *a.name < *b.name;
    });
    return result;
  }

 private:
  void visit(size_t place) {
    const ptx::Statement& statement = function_.statements[place];
    mention(statement.guard, place, false);
    const bool writes = writesFirstOperand(statement.opcode);
    // What the statement reads comes first: a register that is read and written here lives before it.
    for (size_t i = writes ? 1 : 0; i < statement.operands.size(); ++i) visit(statement.operands[i], place, false);
    if (writes && !statement.operands.empty()) visit(statement.operands[0], place, statement.guard.empty());
  }

  void visit(const ptx::Operand& operand, size_t place, bool write) {
    mention(operand.name, place, write);
    mention(operand.second, place, write);
    for (const ptx::Operand& element : operand.list) visit(element, place, write);
  }

  void mention(const std::string& name, size_t place, bool write) {
    const auto declared = function_.registers.find(name);
    if (declared == function_.registers.end()) return;
    auto [found, isNew] = intervals_.try_emplace(name);
    Interval& interval = found->second;
    if (isNew) interval = {&declared->first, declared->second, place, place, write};
    interval.last = place;
  }

  // A register that lives when a loop begins or ends, or is read in it before it is written, keeps its place for all of
  // the loop: what one round left there another may need.
  void extendOverLoops() {
    std::vector<std::pair<size_t, size_t>> loops;
    for (size_t i = 0; i < function_.statements.size(); ++i) {
      for (const size_t target : targets(function_.statements[i])) {
        if (target <= i) loops.emplace_back(target, i);
      }
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (auto& [name, interval] : intervals_) {
        for (const auto& [begin, end] : loops) {
          if (interval.first > end || interval.last < begin) continue;
          const bool within = interval.first >= begin && interval.beginsWithWrite && interval.last <= end;
          if (within) continue;
          const size_t first = std::min(interval.first, begin);
          const size_t last = std::max(interval.last, end);
          changed = changed || first != interval.first || last != interval.last;
          interval.first = first;
          interval.last = last;
        }
      }
    }
  }

  std::vector<size_t> targets(const ptx::Statement& statement) const {
    std::vector<size_t> result;
    const auto add = [&](const std::string& label) {
      const auto found = function_.labels.find(label);
      if (found != function_.labels.end()) result.push_back(found->second);
    };
    if (statement.parts.empty() || statement.operands.empty()) return result;
    if (statement.parts[0] == "bra") add(statement.operands[0].name);
    if (statement.parts[0] == "brx") {
      const auto found = function_.branchTargets.find(statement.operands.back().name);
      if (found != function_.branchTargets.end()) {
        for (const std::string& label : found->second) add(label);
      }
    }
    return result;
  }

  const ptx::Function& function_;
  std::unordered_map<std::string, Interval> intervals_;
};

// Places of one width that are free from some statement on.
class Pool {
 public:
  uint32_t take(const Interval& interval, uint32_t& end, uint32_t size) {
    for (auto& [place, freeFrom] : places_) {
      if (freeFrom > interval.first) continue;
      freeFrom = interval.last + 1;
      return place;
    }
    places_.emplace_back(end, interval.last + 1);
    end += size;
    return places_.back().first;
  }

 private:
  std::vector<std::pair<uint32_t, size_t>> places_;
};

}  // namespace

RegisterFile::RegisterFile(const ptx::Function& function, uint32_t start, uint32_t firstPredicate)
    : end_(start), predicatesEnd_(firstPredicate) {
  Pool predicates, words, doubleWords;
  for (const Interval& interval : Intervals(function).take()) {
    if (interval.type == ptx::Type::pred) {
      places_[*interval.name] = {predicates.take(interval, predicatesEnd_, 1), 0};
    } else if (ptx::bytesOf(interval.type) == 8) {
      places_[*interval.name] = {doubleWords.take(interval, end_, 8 * kLanes), 8};
    } else {
      places_[*interval.name] = {words.take(interval, end_, 4 * kLanes), 4};
    }
  }
}

const RegisterFile::Place* RegisterFile::find(const std::string& name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &found->second;
}

}  // namespace alexnet::simulator

// Streams as queues whose order is hostile: work runs as late as it may, and whatever no event or synchronization orders
// may run in any order. What is not ordered and touches the same bytes is reported, whichever order it ran in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "../machine/memory.h"
#include "../machine/schedule.h"

namespace alexnet::simulator {

// How far each stream has come, by the stream's number.
using Clock = std::map<uint64_t, uint64_t>;
void join(Clock& into, const Clock& other);

struct Capture;

struct Work {
  uint64_t number = 0;  // of its stream, from 1
  uint64_t order = 0;   // of all work, as it was queued
  Clock clock;          // what must have run before it
  std::string name;
  std::function<void()> run;
};

struct Stream {
  uint64_t id = 0;
  int device = 0;
  bool blocking = true;  // waits for the default stream, and it for this one
  uint64_t queued = 0;   // number of the last work
  uint64_t done = 0;     // number of the last work that has run
  Clock clock;           // what the next work comes after
  std::deque<Work> work;
  std::shared_ptr<Capture> capture;  // that it takes part in
  std::set<size_t> last;             // nodes of the capture that its next one comes after
};

struct Event {
  int device;
  Clock clock;                       // of the last record; empty where there was none
  std::shared_ptr<Capture> capture;  // in which it was last recorded
  std::set<size_t> nodes;            // that it comes after there
  bool timing;                       // whether it would know when it happened, if there were a clock
  bool recorded;
};

class Streams {
 public:
  using Say = std::function<void(const std::string&)>;
  Streams(Memory& memory, Schedule& schedule, Say report, Say trace)
      : memory_(memory), schedule_(schedule), report_(std::move(report)), trace_(std::move(trace)) {}

  Stream* create(int device, bool blocking);
  void destroy(Stream* stream);
  Stream* defaultOf(int device);
  // Queues work; of a stream that is captured it becomes a node.
  void push(Stream* stream, const std::string& name, std::function<void()> run, bool isKernel = false);
  enum class Progress { done, made, none };
  // Runs one piece of what `target` names, or of what that depends on. The host knows of it when all is done. None can be
  // made where it depends on work of a device that has failed.
  Progress proceed(const Clock& target);
  void finish(const Clock& target);
  bool isDone(const Clock& target) const;
  // Nothing runs on a device any more, and what waits there never happens.
  void halt(int device) { halted_.insert(device); }
  // Whether work of a device waits for such a one: freeing its memory takes for ever.
  bool isStuck(int device) const;
  void finishDevice(int device);
  // The memory at `base` is gone.
  void forget(uint64_t base);

 private:
  struct Past {
    uint64_t stream, number;
    std::string name;
    std::vector<Interval> touched;  // as addresses
  };

  void capture(Stream& stream, const std::string& name, std::function<void()> run, bool isKernel);
  // Runs the oldest work of a stream. The host does not know of it: nothing is ordered by that.
  void makeRoom(const Stream& stream);
  bool runOne(const Clock& target);
  void execute(Stream& stream);
  void checkRaces(const Stream& stream, const Work& work, const std::vector<Interval>& touched);
  bool pending() const;

  Memory& memory_;
  Schedule& schedule_;
  Say report_, trace_;
  std::set<int> halted_;  // devices
  std::map<uint64_t, std::unique_ptr<Stream>> streams_;
  std::map<int, Stream*> defaults_;
  Clock host_;
  std::vector<Past> past_;
  uint64_t nextStream_ = 1;
  uint64_t nextNode_ = 1;
  uint64_t nextOrder_ = 1;
};

}  // namespace alexnet::simulator

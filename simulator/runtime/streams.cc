#include "streams.h"

#include <algorithm>

#include "capture.h"

namespace alexnet::simulator {
namespace {

// What a GPU takes before the caller has to wait.
constexpr size_t kMostQueued = 1024;

}  // namespace

void join(Clock& into, const Clock& other) {
  for (const auto& [stream, number] : other) into[stream] = std::max(into[stream], number);
}

Stream* Streams::create(int device, bool blocking) {
  auto stream = std::make_unique<Stream>();
  stream->id = nextStream_++;
  stream->device = device;
  stream->blocking = blocking;
  Stream* result = stream.get();
  streams_[result->id] = std::move(stream);
  return result;
}

void Streams::destroy(Stream* stream) {
  finish({{stream->id, stream->queued}});
  streams_.erase(stream->id);
}

Stream* Streams::defaultOf(int device) {
  Stream*& stream = defaults_[device];
  if (stream == nullptr) stream = create(device, true);
  return stream;
}

void Streams::capture(Stream& stream, const std::string& name, std::function<void()> run, bool isKernel) {
  stream.capture->nodes.push_back({nextNode_++, stream.device, isKernel, name, std::move(run), stream.last});
  stream.last = {stream.capture->nodes.size() - 1};
  trace_("captured " + deviceName(stream.device) + " " + std::to_string(stream.id) + " " + name);
}

void Streams::push(Stream* stream, const std::string& name, std::function<void()> run, bool isKernel) {
  if (stream->capture != nullptr) return capture(*stream, name, std::move(run), isKernel);
  if (schedule_.kind() == Schedule::Kind::random && schedule_.pick(4) == 0) {  // of what was queued before
    Clock all;
    for (const auto& [id, other] : streams_) all[id] = other->queued;
    runOne(all);
  }
  join(stream->clock, host_);
  Stream* standard = defaultOf(stream->device);
  for (const auto& [id, other] : streams_) {
    const bool ordered = other->device == stream->device && other->blocking && stream->blocking &&
                         (stream == standard || other.get() == standard);
    if (ordered) join(stream->clock, other->clock);
  }
  Work work;
  work.clock = stream->clock;
  work.number = ++stream->queued;
  work.order = nextOrder_++;
  work.name = name;
  work.run = std::move(run);
  stream->clock[stream->id] = stream->queued;
  trace_("queued " + deviceName(stream->device) + " " + std::to_string(stream->id) + " " + name);
  stream->work.push_back(std::move(work));
  if (stream->work.size() > kMostQueued) makeRoom(*stream);
}

void Streams::makeRoom(const Stream& stream) {
  const Work& oldest = stream.work.front();
  Clock target = oldest.clock;
  target[stream.id] = oldest.number;
  while (!isDone(target) && runOne(target)) {
  }
}

bool Streams::isDone(const Clock& target) const {
  return std::all_of(target.begin(), target.end(), [&](const auto& entry) {
    const auto found = streams_.find(entry.first);
    return found == streams_.end() || found->second->done >= entry.second;
  });
}

bool Streams::runOne(const Clock& target) {
  std::vector<Stream*> ready;
  for (const auto& [id, number] : target) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second->done >= number || found->second->work.empty()) continue;
    if (halted_.count(found->second->device) > 0) continue;
    Clock needed = found->second->work.front().clock;
    needed.erase(id);
    if (isDone(needed)) ready.push_back(found->second.get());
  }
  if (ready.empty()) return false;
  std::sort(ready.begin(), ready.end(),
            [](const Stream* a, const Stream* b) { return a->work.front().order < b->work.front().order; });
  execute(*ready[schedule_.pick(ready.size())]);
  return true;
}

void Streams::execute(Stream& stream) {
  Work work = std::move(stream.work.front());
  stream.work.pop_front();
  trace_("runs " + deviceName(stream.device) + " " + std::to_string(stream.id) + " " + work.name);
  work.run();
  if (halted_.count(stream.device) > 0) return;
  stream.done = work.number;
  std::vector<Interval> touched = memory_.takeTouched();
  for (Interval& interval : touched) {
    interval.from += interval.allocation->base;
    interval.to += interval.allocation->base;
  }
  if (touched.empty()) return;
  checkRaces(stream, work, touched);
  past_.push_back({stream.id, work.number, work.name, std::move(touched)});
}

void Streams::checkRaces(const Stream& stream, const Work& work, const std::vector<Interval>& touched) {
  for (const Past& past : past_) {
    if (past.stream == stream.id) continue;
    const auto known = work.clock.find(past.stream);
    if (known != work.clock.end() && known->second >= past.number) continue;
    for (const Interval& now : touched) {
      for (const Interval& then : past.touched) {
        if (then.to <= now.from || now.to <= then.from || (!then.written && !now.written)) continue;
        report_("race between streams: " + work.name + (now.written ? " writes" : " reads") + " memory of " +
                deviceName(now.allocation->device) + " that " + past.name + (then.written ? " writes" : " reads") +
                " on another stream, with no event that orders them");
        return;
      }
    }
  }
}

bool Streams::pending() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& entry) { return !entry.second->work.empty(); });
}

void Streams::finish(const Clock& target) {
  while (proceed(target) == Progress::made) {
  }
}

Streams::Progress Streams::proceed(const Clock& target) {
  if (!isDone(target)) return runOne(target) ? Progress::made : Progress::none;
  join(host_, target);
  // What the host has seen finish is ordered before everything that is queued from now on.
  if (pending()) return Progress::done;
  past_.erase(std::remove_if(past_.begin(), past_.end(),
                             [&](const Past& past) {
                               const auto known = host_.find(past.stream);
                               return known != host_.end() && known->second >= past.number;
                             }),
              past_.end());
  return Progress::done;
}

bool Streams::isStuck(int device) const {
  const auto waits = [&](const Stream& stream) {
    const Clock& needed = stream.work.front().clock;
    return std::any_of(needed.begin(), needed.end(), [&](const auto& entry) {
      const auto found = streams_.find(entry.first);
      return found != streams_.end() && halted_.count(found->second->device) > 0 && found->second->done < entry.second;
    });
  };
  return std::any_of(streams_.begin(), streams_.end(), [&](const auto& entry) {
    const Stream& stream = *entry.second;
    return stream.device == device && !stream.work.empty() && waits(stream);
  });
}

void Streams::finishDevice(int device) {
  Clock target;
  for (const auto& [id, stream] : streams_) {
    if (stream->device == device) join(target, stream->clock);
  }
  finish(target);
}

void Streams::forget(uint64_t base) {
  for (Past& past : past_) {
    past.touched.erase(std::remove_if(past.touched.begin(), past.touched.end(),
                                      [&](const Interval& interval) { return interval.allocation->base == base; }),
                       past.touched.end());
  }
}

}  // namespace alexnet::simulator

#include "thread.h"

#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace alexnet::mpi {
namespace {

constexpr int kFailed = 1;  // tags of messages between threads
constexpr int kClosing = 2;
constexpr double kIdleSeconds = 0.05;   // between two looks for messages where nothing is under way
constexpr double kSpinSeconds = 50e-6;  // for which a thread that waits asks without a pause
constexpr auto kPause = std::chrono::microseconds(50);
constexpr double kPatience = 5;  // for what is under way after a rank has closed the group

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Thread::Thread(std::function<void(const std::string&)> ready) {
  // Detached: it lives until the process ends, as does this object.
  std::thread([this, ready = std::move(ready)] { run(ready); }).detach();
}

void Thread::add(std::unique_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  asked_.push_back(std::move(job));
  wake_.notify_one();
}

void Thread::fail(std::string text) {
  const std::lock_guard lock(mutex_);
  if (failToSend_.empty()) failToSend_ = std::move(text);
  wake_.notify_one();
}

void Thread::close(std::function<void(const std::string&)> done) {
  const std::lock_guard lock(mutex_);
  closing_ = std::move(done);
  wake_.notify_one();
}

void Thread::abort(int code, double seconds) {
  const double until = now() + seconds;
  {
    const std::lock_guard lock(mutex_);
    aborts_ = true;
    abortCode_ = code;
    abortAt_ = until;
    wake_.notify_one();
  }
  // MPI_Abort ends the process; a thread that is held up in MPI_Finalize never gets there.
  while (now() < until + kPatience) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  _exit(code);
}

void Thread::run(const std::function<void(const std::string&)>& ready) {
  try {
    initialize();
  } catch (const std::exception& error) {
    ready(error.what());
    return;
  }
  ready("");
  while (work()) {
  }
}

void Thread::initialize() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  if (provided < MPI_THREAD_FUNNELED)
    throw std::runtime_error("This MPI library was built without support of threads.");
  MPI_Comm_rank(MPI_COMM_WORLD, &world_.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world_.size);
  MPI_Comm local;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world_.rank, MPI_INFO_NULL, &local);
  MPI_Comm_rank(local, &world_.localRank);
  MPI_Comm_size(local, &world_.localSize);
  MPI_Comm_free(&local);
  int length = 0;
  char host[MPI_MAX_PROCESSOR_NAME];
  MPI_Get_processor_name(host, &length);
  world_.host.assign(host, static_cast<size_t>(length));
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
  MPI_Get_library_version(library, &length);
  world_.library = library;
  MPI_Comm_dup(MPI_COMM_WORLD, &control_);
  for (auto& halves : channels_) {
    for (MPI_Comm& half : halves) MPI_Comm_dup(MPI_COMM_WORLD, &half);
  }
}

// One round; false when MPI is finalized.
bool Thread::work() {
  std::list<std::unique_ptr<Job>> asked;
  std::string toSend;
  bool closes = false;
  {
    std::unique_lock lock(mutex_);
    const auto isAsked = [&] { return !asked_.empty() || !failToSend_.empty() || closing_ || aborts_; };
    if (active_.empty()) wake_.wait_for(lock, std::chrono::duration<double>(kIdleSeconds), isAsked);
    asked.swap(asked_);
    toSend.swap(failToSend_);
    closes = static_cast<bool>(closing_);
  }
  if (!toSend.empty() && failure_.empty()) {
    tell(kFailed, toSend);
    giveUp(toSend);
  }
  for (auto& job : asked) begin(std::move(job));
  const double began = now();
  bool progressed = false;
  do {
    progressed = advance();
  } while (!progressed && !active_.empty() && now() < began + kSpinSeconds);
  listen();
  if (closes && active_.empty() && finalize()) return false;
  {
    std::unique_lock lock(mutex_);
    // Where this rank has failed, its messages get the time to arrive, and the others to end the job in good order.
    if (aborts_ && now() >= abortAt_) MPI_Abort(MPI_COMM_WORLD, abortCode_);
    if (aborts_) wake_.wait_for(lock, std::chrono::milliseconds(10));
  }
  if (!active_.empty() && !progressed) std::this_thread::sleep_for(kPause);
  return true;
}

void Thread::begin(std::unique_ptr<Job> job) {
  if (!failure_.empty()) {
    job->done(failure_);
    return;
  }
  job->start(channels_[static_cast<int>(job->channel)][0]);
  job->begun = 1;
  active_.push_back(std::move(job));
}

// Whether any job has ended, or gone on to its second half.
bool Thread::advance() {
  bool progressed = false;
  bool isHeld[kChannels] = {};  // by a job before, whose second half has not begun
  for (auto each = active_.begin(); each != active_.end();) {
    Job& job = **each;
    const auto channel = static_cast<int>(job.channel);
    int isDone = 0;
    MPI_Test(&job.request, &isDone, MPI_STATUS_IGNORE);
    const bool goesOn = job.begun < job.halves;
    if (isDone && !goesOn) {
      job.end();
      job.done("");
      each = active_.erase(each);
      progressed = true;
      continue;
    }
    if (isDone && !isHeld[channel]) {
      job.goOn(channels_[channel][1]);
      ++job.begun;
      progressed = true;
    } else if (goesOn) {
      isHeld[channel] = true;
    }
    ++each;
  }
  return progressed;
}

void Thread::listen() {
  for (;;) {
    int found = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, control_, &found, &status);
    if (!found) break;
    int length = 0;
    MPI_Get_count(&status, MPI_BYTE, &length);
    std::string text(static_cast<size_t>(length), '\0');
    MPI_Recv(text.data(), length, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, control_, MPI_STATUS_IGNORE);
    if (status.MPI_TAG == kFailed) giveUp(text);
    if (status.MPI_TAG != kClosing) continue;
    ++closings_;
    if (left_ >= 0) continue;
    left_ = status.MPI_SOURCE;
    leftAt_ = now();
  }
  for (auto send = sends_.begin(); send != sends_.end();) {
    int isDone = 0;
    MPI_Test(&send->first, &isDone, MPI_STATUS_IGNORE);
    send = isDone ? sends_.erase(send) : std::next(send);
  }
  if (left_ >= 0 && !active_.empty() && now() > leftAt_ + kPatience) giveUp("left:" + std::to_string(left_));
}

void Thread::tell(int tag, const std::string& text) {
  for (int rank = 0; rank < world_.size; ++rank) {
    if (rank == world_.rank) continue;
    auto& [request, sent] = sends_.emplace_back(MPI_REQUEST_NULL, text);
    MPI_Isend(sent.data(), static_cast<int>(sent.size()), MPI_BYTE, rank, tag, control_, &request);
  }
}

void Thread::giveUp(const std::string& text) {
  if (!failure_.empty()) return;
  failure_ = text;
  for (auto& job : active_) job->done(text);
  abandoned_.splice(abandoned_.end(), active_);
}

// Whether MPI is finalized. Ranks hear of each other before, and listen meanwhile: MPI_Finalize would hold them up where
// they hear nothing.
bool Thread::finalize() {
  if (!failure_.empty()) {
    const std::lock_guard lock(mutex_);
    closing_(failure_);
    closing_ = nullptr;
    return false;
  }
  if (!hasTold_) tell(kClosing, "");
  hasTold_ = true;
  if (closings_ < world_.size - 1 || !sends_.empty()) {
    std::this_thread::sleep_for(kPause);
    return false;
  }
  for (auto& halves : channels_) {
    for (MPI_Comm& half : halves) MPI_Comm_free(&half);
  }
  MPI_Comm_free(&control_);
  MPI_Finalize();
  closing_("");
  return true;
}

}  // namespace alexnet::mpi

// The thread that makes all calls of MPI. What others want of it are jobs; it starts them, looks after them until they
// are done, and meanwhile listens for ranks that have failed.
#pragma once

#include <mpi.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace alexnet::mpi {

// Two sequences of collective operations that need not agree on an order with each other.
enum class Channel { steps, loading };
constexpr int kChannels = 2;

// Something that is under way, in one half or two. All functions but the constructor run on the thread, `done` included.
class Job {
 public:
  explicit Job(int halves = 1) : halves(halves) {}
  virtual ~Job() = default;
  // Begins the first half, a call that sets `request`.
  virtual void start(MPI_Comm communicator) = 0;
  // Begins the second half, likewise, when the first has ended.
  virtual void goOn(MPI_Comm) {}
  // Called when the last half has ended.
  virtual void end() {}

  const int halves;
  int begun = 0;  // halves
  MPI_Request request = MPI_REQUEST_NULL;
  Channel channel = Channel::steps;
  // Called once, with what went wrong or an empty text.
  std::function<void(const std::string& failure)> done;
};

// What a rank knows of the job it is part of.
struct World {
  int rank = 0;
  int size = 1;
  int localRank = 0;  // among the ranks of the same machine
  int localSize = 1;
  std::string host;
  std::string library;
};

class Thread {
 public:
  // Initializes MPI on the thread. `ready` is called there, with what went wrong or an empty text.
  explicit Thread(std::function<void(const std::string& failure)> ready);
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  const World& world() const { return world_; }
  void add(std::unique_ptr<Job> job);
  // Tells all ranks, this one too, that the group has come to nothing: what is under way, and what is asked for later,
  // fails with the text.
  void fail(std::string text);
  // Finalizes MPI, which waits for all ranks to do so; `done` as a job's.
  void close(std::function<void(const std::string& failure)> done);
  // Ends all ranks, this process with the code, once so many seconds have passed in which another rank may do it. Does not
  // return.
  [[noreturn]] void abort(int code, double seconds);

 private:
  void run(const std::function<void(const std::string&)>& ready);
  void initialize();
  bool work();
  void begin(std::unique_ptr<Job> job);
  bool advance();
  void listen();
  void tell(int tag, const std::string& text);
  void giveUp(const std::string& text);
  bool finalize();

  std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by the mutex.
  std::list<std::unique_ptr<Job>> asked_;
  std::string failToSend_;
  std::function<void(const std::string&)> closing_;
  bool aborts_ = false;
  int abortCode_ = 0;
  double abortAt_ = 0;

  // The thread's own.
  World world_;
  MPI_Comm control_ = MPI_COMM_NULL;
  // Of the first halves and of the second ones. Which first half ends first is not the same on all ranks, and calls on one
  // communicator must come in the same order: second halves begin in the order of the jobs.
  MPI_Comm channels_[kChannels][2] = {};
  std::list<std::unique_ptr<Job>> active_;
  // What failed under way: MPI may still write to their memory.
  std::list<std::unique_ptr<Job>> abandoned_;
  std::list<std::pair<MPI_Request, std::string>> sends_;
  std::string failure_;
  int left_ = -1;  // a rank that has closed the group, and since when it is missed
  double leftAt_ = 0;
  bool hasTold_ = false;  // that it closes the group
  int closings_ = 0;      // of other ranks
};

}  // namespace alexnet::mpi

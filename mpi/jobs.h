// Collective operations, as jobs of the thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "thread.h"

namespace alexnet::mpi {

// values <- sum over the ranks of values * scale, in place.
template <class Real>
class Sum final : public Job {
 public:
  Sum(Real* values, size_t count, Real scale) : values_(values), count_(count), scale_(scale) {}

  void start(MPI_Comm communicator) override {
    if (scale_ != 1) {
      for (size_t i = 0; i < count_; ++i) values_[i] *= scale_;
    }
    MPI_Iallreduce(MPI_IN_PLACE, values_, static_cast<int>(count_), sizeof(Real) == 4 ? MPI_FLOAT : MPI_DOUBLE, MPI_SUM,
                   communicator, &request);
  }

 private:
  Real* const values_;
  const size_t count_;
  const Real scale_;
};

// All ranks get what rank 0 has.
class Broadcast final : public Job {
 public:
  Broadcast(void* bytes, size_t count) : bytes_(bytes), count_(count) {}

  void start(MPI_Comm communicator) override {
    MPI_Ibcast(bytes_, static_cast<int>(count_), MPI_BYTE, 0, communicator, &request);
  }

 private:
  void* const bytes_;
  const size_t count_;
};

// All ranks get what each has, one after the other: first how long it is, then the bytes.
class Gather final : public Job {
 public:
  explicit Gather(std::string own) : Job(2), own_(std::move(own)) {}

  void start(MPI_Comm communicator) override {
    int size = 0;
    MPI_Comm_size(communicator, &size);
    lengths_.resize(static_cast<size_t>(size));
    starts_.resize(lengths_.size());
    length_ = static_cast<int>(own_.size());
    MPI_Iallgather(&length_, 1, MPI_INT, lengths_.data(), 1, MPI_INT, communicator, &request);
  }

  void goOn(MPI_Comm communicator) override {
    int total = 0;
    for (size_t rank = 0; rank < lengths_.size(); ++rank) {
      starts_[rank] = total;
      total += lengths_[rank];
    }
    all_.resize(static_cast<size_t>(total));
    MPI_Iallgatherv(own_.data(), length_, MPI_BYTE, all_.data(), lengths_.data(), starts_.data(), MPI_BYTE,
                    communicator, &request);
  }

  // Once it has ended.
  const std::vector<int>& lengths() const { return lengths_; }
  const std::string& all() const { return all_; }

 private:
  const std::string own_;
  int length_ = 0;
  std::vector<int> lengths_, starts_;
  std::string all_;
};

}  // namespace alexnet::mpi

// Runs operations on simulated GPUs through all that the addon runs but its binding: core/ and cuda/ as they are, linked
// with the simulator in place of the CUDA runtime.
//   operate <scenario>
// prints "right" or "wrong" for every result that is easy to foretell, a digest of the bits of others (the tests of
// operations check them), or why a device failed. Inputs are small whole numbers, whose sums are exact in fp32.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <list>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/device.h"
#include "cuda/cuda.h"

namespace {

using namespace alexnet;
using Values = std::vector<float>;

// A device, what it reads from the host, and what it made.
class Board {
 public:
  explicit Board(int index) : device_(cuda::backend().open(index, 0)) {}

  Device& device() { return *device_; }

  // Memory of elements, `shift` bytes behind a multiple of 256.
  Tensor tensor(Shape shape, size_t shift = 0, DataType type = DataType::float32) {
    const auto bytes = static_cast<size_t>(elementsOf(shape)) * sizeOf(type);
    return {device_->allocate(bytes + shift), shift, type, std::move(shape)};
  }

  void write(const Tensor& tensor, const void* values, size_t bytes) {
    const auto* start = static_cast<const char*>(values);
    sources_.emplace_back(start, start + bytes);
    device_->write(tensor, {sources_.back().data()}, [] {});
  }

  // From host memory, which is let go at once.
  std::shared_ptr<Event> writeBeside(const Tensor& tensor, const Values& values, std::shared_ptr<Event> after) {
    const auto memory = device_->allocateHost(tensor.bytes());
    std::memcpy(memory->address, values.data(), tensor.bytes());
    return device_->writeBeside(tensor, {memory->address, memory}, std::move(after), [] {});
  }

  Tensor input(const Shape& shape, const Values& values, size_t shift = 0) {
    Tensor result = tensor(shape, shift);
    write(result, values.data(), result.bytes());
    return result;
  }

  // Whole numbers -8 .. 8.
  Values values(const Shape& shape) {
    Values result(static_cast<size_t>(elementsOf(shape)));
    for (float& value : result) value = static_cast<float>(static_cast<int>(random_() % 17) - 8);
    return result;
  }
  Tensor input(const Shape& shape, size_t shift = 0) { return input(shape, values(shape), shift); }

  Tensor narrowInput(const Shape& shape) {
    const Tensor result = tensor(shape, 0, DataType::bfloat16);
    device_->enqueue(Cast{input(shape), result});
    return result;
  }

  Values read(const Tensor& tensor) {
    Values result(static_cast<size_t>(tensor.elements()), 12345.0F);
    readInto(tensor, {result.data()});
    return result;
  }

  Values readByHostMemory(const Tensor& tensor) {
    const auto memory = device_->allocateHost(tensor.bytes());
    readInto(tensor, {memory->address, memory});
    const auto* const values = static_cast<const float*>(memory->address);
    return {values, values + tensor.elements()};
  }

  void expect(const Tensor& tensor, const Values& expected) { compare(read(tensor), expected); }

  static void compare(const Values& found, const Values& expected) {
    const bool same = found.size() == expected.size() &&
                      std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0;
    std::puts(same ? "right" : "wrong");
  }

  void print(const Tensor& tensor) {
    uint64_t digest = 0xcbf29ce484222325U;  // FNV-1a
    for (const float value : read(tensor)) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      digest = (digest ^ bits) * 0x100000001b3U;
    }
    std::printf("%016llx\n", static_cast<unsigned long long>(digest));
  }

 private:
  void readInto(const Tensor& tensor, HostBytes destination) {
    std::promise<void> finished;
    device_->read(tensor, std::move(destination), [&finished](std::exception_ptr failure) {
      if (failure)
        finished.set_exception(failure);
      else
        finished.set_value();
    });
    finished.get_future().get();
  }

  const std::shared_ptr<Device> device_;
  std::list<std::vector<char>> sources_;  // must stay until they have been read
  std::mt19937 random_{2012};
};

// 333 chunks of 8 channels: two blocks, and the last warp is not full.
void lrn(Board& board) {
  const Tensor input = board.input({1, 1, 37, 72}), output = board.tensor({1, 1, 37, 72});
  board.device().enqueue(Lrn{input, output, {}, {}});
  board.print(output);
}

// Tiles of 4 x 4 outputs: two across.
void lrnMaxPool(Board& board) {
  const Tensor input = board.input({1, 9, 13, 16}), output = board.tensor({1, 4, 6, 16});
  board.device().enqueue(LrnMaxPool{input, output, {}, {}, {}});
  board.print(output);
}

void relu(Board& board, size_t shift) {
  const Values values = board.values({1003});
  Values expected = values;
  for (float& value : expected) value = value < 0 ? 0.0F : value;
  const Tensor output = board.tensor({1003}, shift);
  board.device().enqueue(Activate{board.input({1003}, values, shift), output, Activation::relu});
  board.expect(output, expected);
}

void conv2d(Board& board, int64_t channels, size_t shift) {
  const Tensor input = board.input({1, 9, 9, channels}, shift), weights = board.input({40, 3, 3, channels}, shift);
  const Tensor output = board.tensor({1, 9, 9, 40});
  board.device().enqueue(Conv2d{input, weights, board.input({40}), {}, output, {1, 1, 1, 1, 1, 1}, Activation::none});
  board.print(output);
}

// On tensor cores: six or seven K steps, twice around the ring of a tile.
void conv2dNarrow(Board& board) {
  const Tensor input = board.narrowInput({2, 9, 9, 24}), weights = board.narrowInput({40, 3, 3, 24});
  const Tensor output = board.tensor({2, 9, 9, 40});
  board.device().enqueue(Conv2d{input, weights, board.input({40}), {}, output, {1, 1, 1, 1, 1, 1}, Activation::none});
  board.print(output);
}

void inputGradientNarrow(Board& board) {
  const Tensor gradient = board.narrowInput({2, 9, 9, 24}), weights = board.narrowInput({24, 3, 3, 16});
  const Tensor inputGradient = board.tensor({2, 9, 9, 16}, 0, DataType::bfloat16);
  board.device().enqueue(Conv2dBackwardInput{gradient, weights, inputGradient, {1, 1, 1, 1, 1, 1}});
  const Tensor result = board.tensor(inputGradient.shape);
  board.device().enqueue(Cast{inputGradient, result});
  board.print(result);
}

void weightGradientNarrow(Board& board) {
  const Tensor input = board.narrowInput({2, 9, 9, 16}), gradient = board.narrowInput({2, 9, 9, 24});
  const Tensor weightGradient = board.tensor({24, 3, 3, 16});
  board.device().enqueue(Conv2dBackwardWeights{input, gradient, weightGradient, {}, {1, 1, 1, 1, 1, 1}});
  board.print(weightGradient);
}

void conv1(Board& board) {
  const Tensor input = board.input({1, 27, 27, 3}), weights = board.input({50, 11, 11, 3});
  const Tensor output = board.tensor({1, 5, 5, 50});
  board.device().enqueue(Conv2d{input, weights, board.input({50}), {}, output, {4, 0, 0, 0, 0, 1}, Activation::none});
  board.print(output);
}

void conv1Backward(Board& board) {
  const Tensor input = board.input({2, 27, 27, 3}), gradient = board.input({2, 5, 5, 50});
  const Tensor weightGradient = board.tensor({50, 11, 11, 3});
  board.device().enqueue(Conv2dBackwardWeights{input, gradient, weightGradient, {}, {4, 0, 0, 0, 0, 1}});
  board.print(weightGradient);
}

// One picture: the product with a vector, whose sums go through shuffles.
void linear(Board& board) {
  const Tensor input = board.input({1, 96}), weights = board.input({11, 96}), output = board.tensor({1, 11});
  board.device().enqueue(Linear{input, weights, board.input({11}), {}, output, Activation::none});
  board.print(output);
}

// The bias gradient is a sum of rows.
void biasGradient(Board& board) {
  const Values gradients = board.values({70, 45});
  Values expected(45, 0.0F);
  for (size_t i = 0; i < gradients.size(); ++i) expected[i % 45] += gradients[i];
  const Tensor bias = board.tensor({45});
  board.device().enqueue(
      LinearBackwardWeights{board.input({70, 8}), board.input({70, 45}, gradients), board.tensor({45, 8}), bias});
  board.expect(bias, expected);
}

void softmax(Board& board, const Shape& shape) {
  const Tensor output = board.tensor(shape);
  board.device().enqueue(Softmax{board.input(shape), output});
  board.print(output);
}

void softmaxLoss(Board& board) {
  const std::vector<int32_t> classes = {0, 7, 99, 41, 12};
  Tensor labels = board.tensor({5});
  labels.type = DataType::int32;
  board.write(labels, classes.data(), labels.bytes());
  const Tensor result = board.tensor({3}), gradient = board.tensor({5, 100});
  board.device().enqueue(SoftmaxLoss{board.input({5, 100}), labels, result, gradient});
  board.print(result);
  board.print(gradient);
}

// Two uploads, and two more that use the same staging memory again, all before anything is waited for.
void uploads(Board& board) {
  std::vector<std::pair<Tensor, Values>> sent;
  for (int i = 0; i < 4; ++i) {
    const Values values = board.values({1000});
    sent.emplace_back(board.input({1000}, values), values);
  }
  for (const auto& [tensor, values] : sent) board.expect(tensor, values);
}

// Batches that come beside the queue, by way of two tensors in turn, and what is read beside it.
void batches(Board& board) {
  const Shape shape = {3000};
  const Tensor inputs[] = {board.tensor(shape), board.tensor(shape)};
  std::shared_ptr<Event> unread[2];
  std::vector<std::pair<Tensor, Values>> sums;
  for (size_t i = 0; i < 6; ++i) {
    const Tensor& input = inputs[i % 2];
    const Values values = board.values(shape);
    board.device().wait(board.writeBeside(input, values, unread[i % 2]), "wait");
    sums.emplace_back(board.tensor(shape), values);
    board.device().enqueue(Add{input, input, sums.back().first});
    unread[i % 2] = board.device().record("record");
  }
  // All is launched before anything is waited for: what the host has seen end is ordered for the simulator.
  try {
    unread[1]->Event::wait();
  } catch (const Error&) {
    // What is read next says why.
  }
  for (auto& [sum, values] : sums) {
    for (float& value : values) value *= 2;
    Board::compare(board.readByHostMemory(sum), values);
  }
}

// Each upload needs more staging memory than the one before, then each operation more scratch memory.
void growth(Board& board) {
  struct Round {
    Tensor input, gradient, weights, bias;
  };
  std::vector<Round> rounds;
  for (const int64_t rows : {200, 8000}) {
    rounds.push_back({board.input({rows, 8}), board.input({rows, 8}), board.tensor({8, 8}), board.tensor({8})});
  }
  for (const auto& [input, gradient, weights, bias] : rounds) {
    board.device().enqueue(LinearBackwardWeights{input, gradient, weights, bias});
  }
  for (const Round& round : rounds) board.print(round.bias);
}

// Each round lets its tensors go while they are in use.
void passing(Board& board) {
  std::vector<std::pair<Tensor, Values>> sums;
  for (const int64_t rows : {200, 8000, 24000}) {
    const Values gradients = board.values({rows, 8});
    Values expected(8, 0.0F);
    for (size_t i = 0; i < gradients.size(); ++i) expected[i % 8] += gradients[i];
    sums.emplace_back(board.tensor({8}), expected);
    board.device().enqueue(LinearBackwardWeights{board.input({rows, 8}), board.input({rows, 8}, gradients),
                                                 board.tensor({8, 8}), sums.back().first});
  }
  for (const auto& [tensor, values] : sums) board.expect(tensor, values);
}

// cuda:0 adds, sends the sum, and cuda:1 doubles it: twice, through the same tensors.
void exchange(Board& first, Board& second) {
  const Shape shape = {4096};
  const Values values[] = {first.values(shape), first.values(shape)};
  const Tensor terms[] = {first.input(shape, values[0]), first.input(shape, values[1])};
  const Tensor sum = first.tensor(shape), landing = second.tensor(shape);
  const Tensor results[] = {second.tensor(shape), second.tensor(shape)};
  for (int round = 0; round < 2; ++round) {
    first.device().enqueue(Add{terms[0], terms[round], sum});
    const auto arrived = Device::send(first.device(), sum, second.device(), landing);
    first.device().wait(arrived, "wait");
    second.device().wait(arrived, "wait");
    second.device().enqueue(Add{landing, landing, results[round]});
  }
  // All is launched before anything is waited for: what the host has seen end is ordered for the simulator.
  for (Board* const board : {&first, &second}) {
    try {
      board->device().record("record")->Event::wait();
    } catch (const Error&) {
      // What is read next says why.
    }
  }
  // Where one fails the other fails for want of it: either may have the cause.
  std::string problems;
  for (const auto& [board, tensor] : {std::pair(&first, &sum), std::pair(&second, &landing)}) {
    try {
      board->read(*tensor);
    } catch (const Error& error) {
      problems += std::string(error.what()) + "\n";
    }
  }
  if (!problems.empty()) throw Error(kOperation, problems);
  for (int round = 0; round < 2; ++round) {
    Values expected = values[0];
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = 2 * (values[0][i] + values[round][i]);
    second.expect(results[round], expected);
  }
}

void run(const std::string& scenario) {
  Board first(0), second(1);
  const std::map<std::string, std::function<void()>> scenarios = {
      {"lrn", [&] { lrn(first); }},
      {"relu", [&] { relu(first, 0); }},
      {"relu, misaligned", [&] { relu(first, 4); }},
      {"lrn and max pool", [&] { lrnMaxPool(first); }},
      {"conv2d", [&] { conv2d(first, 16, 0); }},
      {"conv2d, misaligned", [&] { conv2d(first, 16, 8); }},
      {"conv2d in bf16", [&] { conv2dNarrow(first); }},
      {"input gradient in bf16", [&] { inputGradientNarrow(first); }},
      {"weight gradient in bf16", [&] { weightGradientNarrow(first); }},
      {"conv1", [&] { conv1(first); }},
      {"conv1 backward", [&] { conv1Backward(first); }},
      {"linear", [&] { linear(first); }},
      {"bias gradient", [&] { biasGradient(first); }},
      {"softmax",
       [&] {
         softmax(first, {3, 200});
       }},
      {"softmax of 65,536 rows",
       [&] {
         softmax(first, {65536, 1});
       }},
      {"softmax loss", [&] { softmaxLoss(first); }},
      {"uploads", [&] { uploads(first); }},
      {"batches", [&] { batches(first); }},
      {"growth", [&] { growth(first); }},
      {"passing tensors", [&] { passing(first); }},
      {"exchange", [&] { exchange(first, second); }},
  };
  scenarios.at(scenario)();
}

}  // namespace

int main(int count, char** options) {
  try {
    run(count > 1 ? options[1] : "");
    return 0;
  } catch (const std::exception& error) {
    std::printf("failed: %s\n", error.what());
    return 1;
  }
}

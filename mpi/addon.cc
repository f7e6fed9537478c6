// The module as lib/mpi/ loads it: promises of what the thread does.
#define NAPI_VERSION 8
#include <napi.h>

#include <climits>
#include <memory>
#include <string>
#include <utility>

#include "bfloat16_sum.h"
#include "jobs.h"
#include "thread.h"

namespace alexnet::mpi {
namespace {

// Calls go to the event loop's thread, which lives on while any promise is pending.
struct State {
  std::unique_ptr<Thread> thread;
  Napi::ThreadSafeFunction toEventLoop;
  int pending = 0;
};

// Of the process: MPI can be initialized once.
State* state = nullptr;

// A promise, and what must stay where it is until it settles.
struct Pending {
  explicit Pending(Napi::Env env) : deferred(env) {
    if (state->pending++ == 0) state->toEventLoop.Ref(env);
  }
  Napi::Promise::Deferred deferred;
  Napi::Reference<Napi::Value> held;
};

// On the thread: settles the promise on the event loop. `value` makes what it resolves with.
void settle(Pending* pending, const std::string& failure, std::function<Napi::Value(Napi::Env)> value = {}) {
  state->toEventLoop.BlockingCall([pending, failure, value = std::move(value)](Napi::Env env, Napi::Function) {
    if (--state->pending == 0) state->toEventLoop.Unref(env);
    const Napi::HandleScope scope(env);
    if (failure.empty()) {
      pending->deferred.Resolve(value ? value(env) : env.Undefined());
      delete pending;
      return;
    }
    pending->deferred.Reject(Napi::Error::New(env, failure).Value());
    // Not deleted: MPI may still write to what it holds.
  });
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (state) throw Napi::Error::New(env, "MPI is initialized already.");
  state = new State;
  state->toEventLoop = Napi::ThreadSafeFunction::New(env, Napi::Function(), "MPI", 0, 1);
  state->toEventLoop.Unref(env);
  auto* const pending = new Pending(env);
  // MPI may wait for ever for a rank that has ended; how long the process does is its own affair.
  state->toEventLoop.Unref(env);
  state->thread = std::make_unique<Thread>([pending](const std::string& failure) {
    settle(pending, failure, [](Napi::Env inner) -> Napi::Value {
      const World& world = state->thread->world();
      Napi::Object result = Napi::Object::New(inner);
      result.Set("rank", world.rank);
      result.Set("size", world.size);
      result.Set("localRank", world.localRank);
      result.Set("localSize", world.localSize);
      result.Set("host", world.host);
      result.Set("library", world.library);
      return result;
    });
  });
  return pending->deferred.Promise();
}

Channel channelOf(const Napi::Value& value) {
  return value.ToNumber().Int32Value() == 1 ? Channel::loading : Channel::steps;
}

void requireCount(Napi::Env env, size_t count) {
  if (count > INT_MAX) throw Napi::Error::New(env, "MPI counts up to 2^31 - 1 elements in a message.");
}

Napi::Value add(const Napi::CallbackInfo& info, std::unique_ptr<Job> job, const Napi::Value& held, Channel channel) {
  auto* const pending = new Pending(info.Env());
  pending->held = Napi::Reference<Napi::Value>::New(held, 1);
  job->channel = channel;
  job->done = [pending](const std::string& failure) { settle(pending, failure); };
  state->thread->add(std::move(job));
  return pending->deferred.Promise();
}

// sum(values: Float32Array | Float64Array, scale: number, channel: number, halves: boolean), halves of a Float32Array
Napi::Value sum(const Napi::CallbackInfo& info) {
  auto values = info[0].As<Napi::TypedArray>();
  const double scale = info[1].ToNumber().DoubleValue();
  requireCount(info.Env(), values.ElementLength());
  std::unique_ptr<Job> job;
  if (values.TypedArrayType() == napi_float32_array) {
    auto floats = info[0].As<Napi::Float32Array>();
    const auto factor = static_cast<float>(scale);
    if (info[3].ToBoolean()) {
      // Each rank has a place more than its even share at most.
      requireCount(info.Env(), floats.ElementLength() + static_cast<size_t>(state->thread->world().size));
      job = std::make_unique<Bfloat16Sum>(floats.Data(), floats.ElementLength(), factor);
    } else {
      job = std::make_unique<Sum<float>>(floats.Data(), floats.ElementLength(), factor);
    }
  } else {
    auto doubles = info[0].As<Napi::Float64Array>();
    job = std::make_unique<Sum<double>>(doubles.Data(), doubles.ElementLength(), scale);
  }
  return add(info, std::move(job), info[0], channelOf(info[2]));
}

// broadcast(bytes: Uint8Array, channel: number)
Napi::Value broadcast(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Uint8Array>();
  requireCount(info.Env(), bytes.ElementLength());
  auto job = std::make_unique<Broadcast>(bytes.Data(), bytes.ElementLength());
  return add(info, std::move(job), info[0], channelOf(info[1]));
}

// gather(bytes: Uint8Array, channel: number): Promise<Buffer[]>
Napi::Value gather(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Uint8Array>();
  requireCount(info.Env(), bytes.ElementLength());
  auto* const pending = new Pending(info.Env());
  auto job = std::make_unique<Gather>(std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ElementLength()));
  job->channel = channelOf(info[1]);
  Gather* const own = job.get();
  job->done = [pending, own](const std::string& failure) {
    if (!failure.empty()) return settle(pending, failure);
    settle(pending, failure, [lengths = own->lengths(), all = own->all()](Napi::Env env) -> Napi::Value {
      Napi::Array parts = Napi::Array::New(env, lengths.size());
      size_t start = 0;
      for (uint32_t rank = 0; rank < lengths.size(); ++rank) {
        const auto length = static_cast<size_t>(lengths[rank]);
        parts.Set(rank, Napi::Buffer<char>::Copy(env, all.data() + start, length));
        start += length;
      }
      return parts;
    });
  };
  state->thread->add(std::move(job));
  return pending->deferred.Promise();
}

// fail(text: string)
void fail(const Napi::CallbackInfo& info) { state->thread->fail(info[0].ToString().Utf8Value()); }

// close(): Promise<void>
Napi::Value close(const Napi::CallbackInfo& info) {
  auto* const pending = new Pending(info.Env());
  state->thread->close([pending](const std::string& failure) { settle(pending, failure); });
  return pending->deferred.Promise();
}

// abort(code: number, seconds: number): never
void abort(const Napi::CallbackInfo& info) {
  state->thread->abort(info[0].ToNumber().Int32Value(), info[1].ToNumber().DoubleValue());
}

Napi::Object define(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New<open>(env));
  exports.Set("sum", Napi::Function::New<sum>(env));
  exports.Set("broadcast", Napi::Function::New<broadcast>(env));
  exports.Set("gather", Napi::Function::New<gather>(env));
  exports.Set("fail", Napi::Function::New<fail>(env));
  exports.Set("close", Napi::Function::New<close>(env));
  exports.Set("abort", Napi::Function::New<abort>(env));
  return exports;
}

}  // namespace
}  // namespace alexnet::mpi

static Napi::Object initialize(Napi::Env env, Napi::Object exports) { return alexnet::mpi::define(env, exports); }
NODE_API_MODULE(alexnet_mpi, initialize)

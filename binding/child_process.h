// Child processes of a thread that may be terminated, which Node.js neither ends nor awaits then: each would stay in the
// system's table until this process ends.
#pragma once

#include <napi.h>

#include <string>

namespace alexnet::binding {

// endChildrenWithThread(argument): when this thread's environment ends, so do the processes that it has started with
// this argument. Not by their numbers, which JavaScript may be terminated before it learns.
void endChildrenWithThread(const Napi::CallbackInfo& info);

// Ends and awaits the processes that the calling thread has started with `argument`, and awaits its others that are
// ending. Of a system that does not list a thread's children (CONFIG_PROC_CHILDREN), none.
void endChildrenWith(const std::string& argument);

}  // namespace alexnet::binding

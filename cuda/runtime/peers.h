// How GPUs reach each other: directly, where they and the user let them; else copies go through the host.
#pragma once

#include <string>
#include <vector>

namespace alexnet::cuda {

// Whether `from` reaches the memory of `to`. Not with ALEXNET_PEER=0.
bool canReach(int from, int to);

// When a GPU is opened: it and each that this process has opened before let each other in, both or neither. So that comes
// before any copy between the two. Returns a sentence for each pair where that was possible and has failed; copies between
// them go through the host then. Any thread; leaves `gpu` current.
std::vector<std::string> connectPeers(int gpu);

}  // namespace alexnet::cuda

#include "profile.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace alexnet::simulator {
namespace {

constexpr size_t kKilobyte = 1024;
constexpr Profile kProfiles[] = {
    {70, "Tesla V100 (simulated)", 80, 96 * kKilobyte, 96 * kKilobyte},
    {75, "NVIDIA T4 (simulated)", 40, 64 * kKilobyte, 64 * kKilobyte},
    {80, "NVIDIA A100 (simulated)", 108, 163 * kKilobyte, 164 * kKilobyte},
    {86, "NVIDIA GeForce RTX 3090 (simulated)", 82, 99 * kKilobyte, 100 * kKilobyte},
    {89, "NVIDIA GeForce RTX 4090 (simulated)", 128, 99 * kKilobyte, 100 * kKilobyte},
    {90, "NVIDIA H100 (simulated)", 132, 227 * kKilobyte, 228 * kKilobyte},
    {120, "NVIDIA GeForce RTX 5090 (simulated)", 170, 99 * kKilobyte, 100 * kKilobyte},
};

Profile chosen() {
  const char* wanted = std::getenv("ALEXNET_SIMULATED_PROFILE");
  const int capability = wanted == nullptr ? 80 : std::atoi(wanted);
  for (Profile candidate : kProfiles) {
    if (candidate.computeCapability != capability) continue;
    if (const char* count = std::getenv("ALEXNET_SIMULATED_PROCESSORS")) candidate.multiprocessors = std::atoi(count);
    return candidate;
  }
  throw std::runtime_error(std::string("ALEXNET_SIMULATED_PROFILE must be 70, 75, 80, 86, 89, 90 or 120, got ") +
                           wanted);
}

}  // namespace

const Profile& profile() {
  static const Profile instance = chosen();
  return instance;
}

}  // namespace alexnet::simulator

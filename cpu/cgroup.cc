#include "cgroup.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <vector>

namespace alexnet::cpu {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

// A hierarchy of groups: version 2 has one, version 1 one for each controller or a few together.
struct Hierarchy {
  std::string controllers;  // "cpu,cpuacct"; empty in version 2
  std::string group;        // the process's: "/user.slice"
};

bool names(const std::string& list, const std::string& item) {
  return ("," + list + ",").find("," + item + ",") != std::string::npos;
}

// Lines "4:cpu,cpuacct:/group", in version 2 "0::/group".
std::vector<Hierarchy> hierarchies(const std::string& root) {
  std::vector<Hierarchy> found;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    found.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return found;
}

// A mounted hierarchy, or the part of one that a container sees.
struct Mount {
  std::string part;    // the group that is mounted: "/" for all
  std::string folder;  // where
  bool unified;        // version 2
  std::string controllers;
};

// Lines "31 30 0:28 /part /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu".
std::vector<Mount> mounts(const std::string& root) {
  std::vector<Mount> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t separator = line.find(" - cgroup");
    if (separator == std::string::npos) continue;
    std::istringstream before(line.substr(0, separator));
    std::istringstream after(line.substr(separator + 3));
    std::string skipped, type, options;
    Mount mount;
    before >> skipped >> skipped >> skipped >> mount.part >> mount.folder;
    after >> type >> skipped >> options;
    mount.unified = type == "cgroup2";
    mount.controllers = options;
    found.push_back(mount);
  }
  return found;
}

// The process's group below a mount's folder. In a container both may be named as the host sees them, or the group may
// lie outside what is mounted: then the mount's own group is the nearest that can be read.
std::string below(const Mount& mount, const std::string& group) {
  const std::string part = mount.part == "/" ? "" : mount.part;
  const bool inside = group.compare(0, part.size(), part) == 0 && group.compare(0, 3, "/..") != 0;
  return inside ? group.substr(part.size()) : "";
}

// Folders of the process's group and of those above it, wherever `controller` may have its files.
std::vector<std::string> foldersOf(const std::string& controller, const std::string& root) {
  std::vector<std::string> folders;
  const std::vector<Hierarchy> all = hierarchies(root);
  for (const Mount& mount : mounts(root)) {
    for (const Hierarchy& hierarchy : all) {
      const bool here = mount.unified
                            ? hierarchy.controllers.empty()
                            : names(hierarchy.controllers, controller) && names(mount.controllers, controller);
      if (!here) continue;
      for (std::string group = below(mount, hierarchy.group);; group.resize(group.rfind('/'))) {
        while (!group.empty() && group.back() == '/') group.pop_back();
        folders.push_back(root + mount.folder + group);
        if (group.empty()) break;
      }
    }
  }
  return folders;
}

// The number that a file begins with; `otherwise` where there is no such file, or "max" in it.
int64_t numberIn(const std::string& path, int64_t otherwise) {
  std::ifstream file(path);
  int64_t number;
  return file >> number ? number : otherwise;
}

double quotaOf(const std::string& folder) {
  int64_t quota = -1;
  int64_t period = 0;
  std::ifstream file(folder + "/cpu.max");
  if (file) {
    if (!(file >> quota >> period)) quota = -1;  // "max 100000"
  } else {
    quota = numberIn(folder + "/cpu.cfs_quota_us", -1);
    period = numberIn(folder + "/cpu.cfs_period_us", 0);
  }
  const bool limited = quota > 0 && period > 0;
  return limited ? static_cast<double>(quota) / static_cast<double>(period) : std::numeric_limits<double>::infinity();
}

// Pages of files that were not used lately: the system drops them rather than refuse memory. Version 1 counts those of
// the groups below apart.
int64_t reclaimable(const std::string& folder) {
  std::ifstream file(folder + "/memory.stat");
  int64_t bytes = 0;
  int64_t value = 0;
  for (std::string name; file >> name >> value;) {
    if (name == "inactive_file" || name == "total_inactive_file") bytes = std::max(bytes, value);
  }
  return bytes;
}

}  // namespace

GroupLimits groupLimits(const std::string& root) {
  GroupLimits limits{std::numeric_limits<double>::infinity(), kUnlimited, kUnlimited};
  for (const std::string& folder : foldersOf("cpu", root)) limits.cores = std::min(limits.cores, quotaOf(folder));
  for (const std::string& folder : foldersOf("memory", root)) {
    int64_t most = kUnlimited;
    // Above memory.high a group is not ended but slowed down without bound.
    for (const char* limit : {"/memory.max", "/memory.high", "/memory.limit_in_bytes"})
      most = std::min(most, numberIn(folder + limit, kUnlimited));
    if (most == kUnlimited) continue;
    const int64_t used = numberIn(folder + "/memory.current", numberIn(folder + "/memory.usage_in_bytes", 0));
    limits.memory = std::min(limits.memory, most);
    limits.freeMemory = std::min(limits.freeMemory, std::max<int64_t>(0, most - used + reclaimable(folder)));
  }
  return limits;
}

}  // namespace alexnet::cpu

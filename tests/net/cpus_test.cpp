#include "net/command/cpus.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;

/// A machine's /proc and /sys as far as control groups go.
class CpusTest : public testing::Test {
protected:
  void says(const fs::path& file, const std::string& text) const {
    const auto at = root() / file;
    fs::create_directories(at.parent_path());
    std::ofstream{at} << text << '\n';
  }
  void unified(const std::string& own, const std::string& mounted_root = "/") const {
    says("proc/self/mountinfo",
         "25 1 0:21 / /proc rw,relatime - proc proc rw\n"
         "30 25 0:26 " +
             mounted_root + " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate");
    says("proc/self/cgroup", "0::" + own);
  }
  fs::path root() const { return where_.path(); }
  unsigned granted(unsigned cores = 8) const { return cpus_granted(root(), cores); }

private:
  storage::testing::temporary_directory where_;
};

TEST_F(CpusTest, AreAllCoresWhereNothingIsSaid) {
  EXPECT_EQ(granted(8), 8u);
  unified("/");
  EXPECT_EQ(granted(8), 8u);
  says("sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(granted(8), 8u);
}

TEST_F(CpusTest, AreWhatTheOwnGroupGrantsRoundedUp) {
  unified("/system.slice/node.service");
  const fs::path own = "sys/fs/cgroup/system.slice/node.service/cpu.max";
  says(own, "250000 100000");
  EXPECT_EQ(granted(), 3u);
  says(own, "1000 10000");
  EXPECT_EQ(granted(), 1u);
  says(own, "900000 100000");
  EXPECT_EQ(granted(8), 8u) << "there are no more than cores";
}

TEST_F(CpusTest, AreNoMoreThanAGroupAboveGrants) {
  unified("/system.slice/node.service");
  says("sys/fs/cgroup/system.slice/cpu.max", "200000 100000");
  says("sys/fs/cgroup/system.slice/node.service/cpu.max", "600000 100000");
  EXPECT_EQ(granted(), 2u);
}

TEST_F(CpusTest, AreFoundInAContainerWhoseMountIsItsOwnGroup) {
  unified("/docker/8f3a", "/docker/8f3a");
  says("sys/fs/cgroup/cpu.max", "150000 100000");
  EXPECT_EQ(granted(), 2u);
  // A path that is outside of what is mounted: the mount is all there is to see.
  unified("/../../node", "/docker/8f3a");
  EXPECT_EQ(granted(), 2u);
}

TEST_F(CpusTest, AreFoundInGroupsOfVersionOne) {
  says("proc/self/mountinfo",
       "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
       "32 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct");
  says("proc/self/cgroup", "5:memory:/other\n4:cpu,cpuacct:/node\n0::/");
  const fs::path group = "sys/fs/cgroup/cpu,cpuacct/node";
  says(group / "cpu.cfs_period_us", "100000");
  says(group / "cpu.cfs_quota_us", "-1");
  EXPECT_EQ(granted(), 8u);
  says(group / "cpu.cfs_quota_us", "110000");
  EXPECT_EQ(granted(), 2u);
}

TEST_F(CpusTest, WhatCanNotBeReadGrantsEverything) {
  unified("/node");
  const fs::path own = "sys/fs/cgroup/node/cpu.max";
  for (const auto* text : {"", "max", "-5 100", "0 100000", "100000 0", "many few", "nan nan"}) {
    says(own, text);
    EXPECT_EQ(granted(), 8u) << text;
  }
  says("proc/self/mountinfo", "nonsense\n - \n1 2 3 - cgroup2\n");
  EXPECT_EQ(granted(), 8u);
  says("proc/self/cgroup", "nonsense:");
  EXPECT_EQ(granted(), 8u);
}

TEST(Cpus, OfThisMachineAreOneAtLeast) {
  EXPECT_GE(usable_cpus(), 1u);
}

}  // namespace
}  // namespace gelombang::command

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "tests/system/kill/model.hpp"
#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

/// A small disk in memory, which only this process and its children see, and which is gone with
/// them. Needs no root where the kernel lets everybody have a user namespace.
class small_disk {
public:
  small_disk(fs::path at, const char* size) : path_(std::move(at)) {
    fs::create_directories(path_);
    is_there_ = enter_own_mounts() && ::mount("tmpfs", path_.c_str(), "tmpfs", 0, size) == 0;
    if (!is_there_) fault_ = std::strerror(errno);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (is_there_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  bool is_there() const { return is_there_; }
  const std::string& fault() const { return fault_; }

  /// Writes until nothing fits any more.
  /// @param spare_bytes  are left
  void fill(std::uintmax_t spare_bytes = 0) const {
    const int file = ::open(ballast().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const std::string bytes(64u << 10, 'x');
    for (auto size = bytes.size(); size > 0;)
      if (::write(file, bytes.data(), size) <= 0) size /= 2;
    ::close(file);
    fs::resize_file(ballast(), fs::file_size(ballast()) - spare_bytes);
  }
  void make_room() const { fs::remove(ballast()); }

private:
  static bool enter_own_mounts() {
    const auto user = ::getuid();
    if (::unshare(CLONE_NEWNS) != 0) {
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
      std::ofstream{"/proc/self/uid_map"} << fmt::format("0 {} 1", user);
    }
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return true;
    // In a chroot "/" is no place of a mount. What is mounted below it may then be seen from
    // outside as well, until the destructor takes it away in both.
    return errno == EINVAL;
  }
  fs::path ballast() const { return path_ / "ballast"; }

  fs::path path_;
  bool is_there_ = false;
  std::string fault_;
};

class DiskFullTest : public testing::Test {
protected:
  static constexpr unsigned people = 50;

  void SetUp() override {
    ASSERT_TRUE(disk_.is_there()) << "no disk of one's own can be mounted: " << disk_.fault();
    where_.data = place_.path() / "disk" / "data";
    node_.emplace(where_, std::vector<std::string>{"storage.segment_bytes_max=1048576",
                                                   "storage.checkpoint_interval_seconds=1",
                                                   "log.level=\"warn\""});
    ASSERT_EQ(seed(where_, people).how.code, 0);
    tokens_ = applicant_tokens(where_, people);
    ASSERT_TRUE(node_->start()) << node_->log();
    client_.emplace(node_->port());
    const auto made = client_->call(create_wave(operator_token(where_), 10)).number("number");
    ASSERT_TRUE(made);
    wave_ = static_cast<unsigned>(*made);
    for (unsigned i = 0; i < people; ++i) {
      ASSERT_TRUE(wait_for([&] { return standing(i).text("state") == "can_join"; }));
    }
  }

  template <class Condition>
  bool wait_for(Condition&& holds) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!holds())
      if (std::chrono::steady_clock::now() > until) return false;
    return true;
  }

  answer standing(unsigned one) {
    return client_->get(fmt::format("/v1/me/waves/{}", wave_), tokens_[one]);
  }

  /// One person joins if he is out, and withdraws if he is in; keeps what is acknowledged.
  answer change(unsigned one) {
    const bool is_in = acknowledged_.contains(one);
    auto got = client_->call(is_in ? withdraw_from_wave(tokens_[one], wave_)
                                   : join_wave(tokens_[one], wave_));
    if (got.status == 204) acknowledged_.erase(one);
    if (got.status == 201) acknowledged_[one] = *receipt_in(got);
    return got;
  }

  /// Changes one after the other until one is refused. @returns that one and its answer.
  std::pair<unsigned, answer> change_until_refused() {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (unsigned i = 0;; i = (i + 1) % people) {
      auto got = change(i);
      const bool is_done = got.status == 201 || got.status == 204;
      if (!is_done || std::chrono::steady_clock::now() > until) return {i, std::move(got)};
    }
  }

  /// What is acknowledged is there, and nothing else.
  void expect_acknowledged() {
    for (unsigned i = 0; i < people; ++i) {
      const auto seen = standing(i);
      ASSERT_EQ(seen.status, 200) << seen.told() << "\n" << node_->log();
      const auto known = acknowledged_.find(i);
      const auto expected =
          known == acknowledged_.end() ? std::nullopt : std::optional{known->second};
      EXPECT_EQ(receipt_in(seen, "receipt"), expected) << "person " << i << ": " << seen.told();
    }
  }

  scratch place_;
  small_disk disk_{place_.path() / "disk", "size=16m"};
  home where_{place_.path()};
  std::optional<node> node_;
  std::optional<programme_client> client_;
  std::vector<std::string> tokens_;
  unsigned wave_ = 0;
  std::map<unsigned, receipt> acknowledged_;
};

TEST_F(DiskFullTest, WritesAreRefusedReadsGoOnAndWhatWasAcknowledgedStays) {
  constexpr unsigned before = 20;
  for (unsigned i = 0; i < before; ++i) ASSERT_EQ(change(i).status, 201);
  EXPECT_EQ(client_->get("/readyz").status, 200);

  disk_.fill();
  const auto [one, refused] = change_until_refused();
  ASSERT_EQ(refused.status, 503) << refused.told();
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  EXPECT_TRUE(wait_for([&] { return client_->get("/readyz").status == 503; }));
  EXPECT_EQ(client_->get("/healthz").status, 200);
  // What is in memory beyond the disk is forgotten first; nothing is read while that goes on.
  for (unsigned i = 0; i < people; ++i) {
    ASSERT_TRUE(wait_for([&] { return standing(i).status == 200; })) << node_->log();
  }
  const auto told = change(one);
  EXPECT_EQ(told.problem(), "storage_unavailable") << told.told();
  EXPECT_TRUE(told.headers.contains("retry-after"));
  expect_acknowledged();

  disk_.make_room();
  ASSERT_TRUE(wait_for([&] { return client_->get("/readyz").status == 200; })) << node_->log();
  for (unsigned i = 0; i < people; ++i) {
    const auto got = change(i);
    EXPECT_TRUE(got.status == 201 || got.status == 204) << got.told();
  }
  expect_acknowledged();

  node_->kill();
  const auto audited = audit(where_.data);
  EXPECT_EQ(audited.how.code, 0) << audited.out << audited.err;
  ASSERT_TRUE(node_->start()) << node_->log();
  client_.emplace(node_->port());
  expect_acknowledged();
}

TEST_F(DiskFullTest, AStartIsRefusedInWordsAndABackupToAFullDiskEndsNoNode) {
  for (unsigned i = 0; i < people; ++i) ASSERT_EQ(change(i).status, 201);
  const auto away = place_.path() / "disk" / "copy";
  const auto officer = operator_token(where_);
  node_->interrupt();
  const auto data = place_.path() / "data";
  fs::copy(where_.data, data, fs::copy_options::recursive);
  constexpr std::uintmax_t page = 4096;
  for (const std::uintmax_t spare : {0, 1, 2, 4, 16, 128}) {
    disk_.fill(spare * page);
    EXPECT_FALSE(node_->start()) << spare;
    EXPECT_EQ(node_->wait(), (ending{.code = 3})) << spare << "\n" << node_->log();
    EXPECT_NE(node_->log().find("No space left on device"), std::string::npos) << node_->log();
    EXPECT_NE(node_->log().find(where_.data.string()), std::string::npos) << node_->log();
    EXPECT_EQ(seed(where_, people).how, (ending{.code = 3})) << spare;
    disk_.make_room();
  }
  ASSERT_TRUE(node_->start()) << node_->log();
  client_.emplace(node_->port());
  expect_acknowledged();
  // From another disk to the full one.
  auto elsewhere = where_;
  elsewhere.data = data;
  elsewhere.log = place_.path() / "elsewhere.log";
  node other{elsewhere};
  ASSERT_TRUE(other.start()) << other.log();
  programme_client asked{other.port()};
  for (const std::uintmax_t spare : {0, 2, 16}) {
    disk_.fill(spare * page);
    const auto told =
        asked.post("/v1/operator/backups", officer, R"({"target":")" + away.string() + "\"}");
    EXPECT_EQ(told.status, 503) << told.told();
    EXPECT_EQ(asked.get("/readyz").status, 200) << other.log();
    disk_.make_room();
    fs::remove_all(away);
  }
}

}  // namespace
}  // namespace gelombang::system_testing

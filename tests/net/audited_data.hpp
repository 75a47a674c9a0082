#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <map>

#include "actors/applicant/applicant.pb.h"
#include "actors/runtime/record.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/seed/seeding.hpp"
#include "actors/wave/draw/draw.hpp"
#include "net/command/audit.hpp"
#include "storage/backup.hpp"
#include "tests/actors/wave/small_draw.hpp"
#include "tests/net/capture.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {

/// A node's data as it stops, without the node: seeded rows, a journal, a draw.
class audited_data : public ::testing::Test {
protected:
  static constexpr std::uint32_t shards = 4;

  void SetUp() override {
    ASSERT_TRUE(seed::seed_data({.data_directory = at_.root,
                                 .applicants = 60,
                                 .shards = shards,
                                 .now = instant{std::chrono::hours{500'000}}},
                                keys_));
    auto log = open_journal();
    for (storage::lsn first = 1; first <= 5; ++first) {
      const std::string records(1000, 'r');
      std::vector<storage::frame> cycle;
      for (runtime::shard_index shard = 0; shard < shards; ++shard)
        cycle.push_back({shard, 1, first, 1, 1'700'000'000'000, records});
      ASSERT_TRUE(log->append(cycle));
    }
    checkpoint(log->durable());
  }

  std::unique_ptr<storage::journal> open_journal() const {
    return std::move(storage::journal::open(storage::posix_file_system(),
                                            {.directory = at_.journal(), .prepare_next = false}, {},
                                            [](const auto&) { return storage::result<void>{}; })
                         .value());
  }

  /// The state says that it knows the journal up to these positions.
  void checkpoint(const storage::positions& known) {
    auto store = std::move(
        storage::state_store::open({.directory = at_.state(), .prewarm_bytes = 0}).value());
    std::vector<storage::row_change> rows;
    for (const auto& [shard, position] : known) {
      const auto key = runtime::shard_key(shard);
      runtime::wire::Shard own;
      ASSERT_TRUE(own.ParseFromString(*store->get(std::vector{key}).value().front()));
      own.set_last(position.last);
      own.set_chain(position.chain.data(), position.chain.size());
      rows.push_back({key, own.SerializeAsString()});
    }
    ASSERT_TRUE(store->ingest(rows));
  }

  void commit_draw() const {
    ASSERT_TRUE(draw::commit(at_.draws() / "wave-1", draw::testing::roster_of_three(),
                             draw::testing::parameters_for_three({1}, 2, "secret"), 1));
  }

  /// A wave's first join, durable but behind the checkpoint: what a kill leaves.
  void append_join_of(applicant_id who, std::uint64_t family = 0) const {
    applicant::wire::Event joined;
    joined.set_at(1'700'000'000'000);
    joined.mutable_joined()->set_wave(7);
    joined.mutable_joined()->set_region(draw::testing::region_of_three.value);
    joined.mutable_joined()->set_family(family);
    const auto body = joined.SerializeAsString();
    std::string records;
    runtime::append_record(records, {.type = runtime::record_type::event,
                                     .who = {runtime::kind::applicant, who.value},
                                     .body = body});
    append(runtime::shard_of(who.value, shards), records);
  }

  void append(runtime::shard_index shard, const std::string& records) const {
    const auto log = open_journal();
    const auto next = log->durable()[shard].last + 1;
    const storage::frame one{shard, 1, next, 1, 1'700'000'000'000, records};
    ASSERT_TRUE(log->append(std::array{one}));
  }

  void store_row(const std::string& key, const std::string& value) const {
    auto store = std::move(
        storage::state_store::open({.directory = at_.state(), .prewarm_bytes = 0}).value());
    ASSERT_TRUE(store->ingest(std::vector<storage::row_change>{{key, value}}));
  }

  /// The master key as a file, with `first` as its first byte.
  std::string key_file(std::uint8_t first = 7) const {
    const auto path = where_.path() / "master.key";
    std::ofstream{path} << fmt::format("{:02x}", first) << std::string(62, '0') << "\n";
    return path.string();
  }

  /// Every file with its size and the time of its last change.
  std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> files() const {
    std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> all;
    for (const auto& one : std::filesystem::recursive_directory_iterator{at_.root})
      all[one.path().string()] = {one.is_regular_file() ? one.file_size() : 0,
                                  one.last_write_time()};
    return all;
  }

  static void flip(const std::filesystem::path& file, std::streamoff at) {
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekg(at);
    const auto byte = static_cast<char>(bytes.get() ^ 1);
    bytes.seekp(at);
    bytes.put(byte);
    ASSERT_TRUE(bytes.good());
  }

  std::filesystem::path first_segment() const {
    const auto names = storage::posix_file_system().list(at_.journal()).value();
    return at_.journal() / names.front();
  }

  int run(const std::string& key_file = {}) {
    const testing::capture out, complaints;
    const auto code = audit({at_.root, key_file}, out.file(), complaints.file());
    said_ = out.text();
    complaint_ = complaints.text();
    return code;
  }

  const keyring keys_ = keyring::from_bytes({7});
  const storage::testing::temporary_directory where_;
  storage::layout at_{where_.path() / "data"};
  std::string said_, complaint_;
};

}  // namespace gelombang::command

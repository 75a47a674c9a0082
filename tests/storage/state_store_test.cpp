#include "storage/state_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "tests/storage/journal_support.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::storage::testing {
namespace {

using rows_by_key = std::map<std::string, std::string>;

state_store_options options_in(const temporary_directory& where) {
  state_store_options options;
  options.directory = where.path() / "state";
  options.block_cache_bytes = 8u << 20;
  options.prewarm_bytes = 1u << 20;
  return options;
}

rows_by_key everything(const state_store& store) {
  rows_by_key found;
  EXPECT_TRUE(store.scan("", "\xff\xff\xff", [&](std::string_view key, std::string_view value) {
    found.emplace(key, value);
    return true;
  }));
  return found;
}

/// Changes a random tenth of the rows, and erases some.
std::vector<row_change> random_checkpoint(std::mt19937_64& random, rows_by_key& model) {
  std::map<std::string, std::optional<std::string>> changes;
  for (int i = 0; i < 200; ++i) {
    const auto key = "row" + std::to_string(random() % 2000);
    if (random() % 5 == 0) {
      changes[key] = std::nullopt;
    } else {
      changes[key] = std::string(random() % 300, static_cast<char>(random()));
    }
  }
  std::vector<row_change> rows;
  for (const auto& [key, value] : changes) {
    rows.push_back({key, value});
    model.erase(key);
    if (value) model.emplace(key, *value);
  }
  return rows;
}

TEST(StateStore, HoldsExactlyWhatTheCheckpointsSaid) {
  const temporary_directory where;
  std::mt19937_64 random(1);
  rows_by_key model;
  for (int round = 0; round < 4; ++round) {
    auto store = state_store::open(options_in(where));
    ASSERT_OK(store);
    EXPECT_EQ(everything(**store), model);
    for (int i = 0; i < 12; ++i) ASSERT_OK((*store)->ingest(random_checkpoint(random, model)));
    EXPECT_EQ(everything(**store), model);
    ASSERT_OK((*store)->verify());
  }
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  ASSERT_OK((*store)->compact());
  EXPECT_EQ(everything(**store), model);
  EXPECT_GT((*store)->disk_bytes(), 0u);
}

TEST(StateStore, GivesRowsInTheOrderOfTheKeysAskedFor) {
  const temporary_directory where;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  const std::vector<row_change> rows{{"a", "1"}, {"b", ""}, {"d", std::string(100'000, 'x')}};
  ASSERT_OK((*store)->ingest(rows));
  const std::vector<std::string> asked{"d", "c", "a", "b", "a"};
  const auto found = (*store)->get(asked);
  ASSERT_OK(found);
  const std::vector<std::optional<std::string>> expected{std::string(100'000, 'x'), std::nullopt,
                                                         "1", "", "1"};
  EXPECT_EQ(*found, expected);
  EXPECT_TRUE((*store)->get({})->empty());
}

TEST(StateStore, ScansAHalfOpenRangeAndStopsWhenTold) {
  const temporary_directory where;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  const std::vector<row_change> rows{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}};
  ASSERT_OK((*store)->ingest(rows));
  std::string seen;
  ASSERT_OK((*store)->scan("b", "d", [&](std::string_view key, std::string_view value) {
    seen.append(key).append(value);
    return true;
  }));
  EXPECT_EQ(seen, "b2c3");
  ASSERT_OK((*store)->scan("a", "z", [&](std::string_view key, std::string_view) {
    seen = key;
    return key != "c";
  }));
  EXPECT_EQ(seen, "c");
}

TEST(StateStore, RefusesRowsOutOfOrderAndTakesNoneOfThem) {
  const temporary_directory where;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  const std::vector<row_change> disorder{{"a", "1"}, {"c", "2"}, {"b", "3"}};
  EXPECT_FAULT((*store)->ingest(disorder), fault::corrupt);
  const std::vector<row_change> twice{{"a", "1"}, {"a", "2"}};
  EXPECT_FAULT((*store)->ingest(twice), fault::corrupt);
  EXPECT_TRUE(everything(**store).empty());
}

TEST(StateStore, ASecondOneOnTheSameDirectoryIsRefused) {
  const temporary_directory where;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  EXPECT_FAULT(state_store::open(options_in(where)), fault::in_use);
}

TEST(StateStore, ACopyIsTheStateOfItsMoment) {
  const temporary_directory where;
  std::mt19937_64 random(2);
  rows_by_key model;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  for (int i = 0; i < 5; ++i) ASSERT_OK((*store)->ingest(random_checkpoint(random, model)));
  const auto target = where.path() / "copies" / "one";
  ASSERT_OK((*store)->copy_to(target, {}));
  const auto then = model;
  for (int i = 0; i < 5; ++i) ASSERT_OK((*store)->ingest(random_checkpoint(random, model)));
  EXPECT_FAULT((*store)->copy_to(target, {}), fault::in_use);

  state_store_options copied;
  copied.directory = target;
  auto copy = state_store::open(copied);
  ASSERT_OK(copy);
  EXPECT_EQ(everything(**copy), then);
  EXPECT_EQ(everything(**store), model);
}

TEST(StateStore, ACopyOnAnotherFileSystemIsTheSame) {
  const temporary_directory where, links;
  ::setenv("TMPDIR", "/dev/shm", 1);
  const temporary_directory elsewhere;
  ::unsetenv("TMPDIR");
  std::mt19937_64 random(4);
  rows_by_key model;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  for (int i = 0; i < 5; ++i) ASSERT_OK((*store)->ingest(random_checkpoint(random, model)));
  for (const auto& target : {links.path() / "copy", elsewhere.path() / "copy"}) {
    ASSERT_OK((*store)->copy_to(target, {}));
    auto copy = state_store::open({.directory = target});
    ASSERT_OK(copy);
    ASSERT_OK((*copy)->verify());
    EXPECT_EQ(everything(**copy), model);
  }
}

TEST(StateStore, IsReadNoFurtherThanItIsToldTo) {
  const temporary_directory where;
  std::mt19937_64 random(3);
  rows_by_key model;
  {
    auto store = state_store::open(options_in(where));
    ASSERT_OK(store);
    for (int i = 0; i < 5; ++i) ASSERT_OK((*store)->ingest(random_checkpoint(random, model)));
  }
  std::stop_source stop;
  auto options = options_in(where);
  options.prewarm_bytes = 0;
  options.until = stop.get_token();
  auto store = state_store::open_to_read(options);
  ASSERT_OK(store);
  ASSERT_OK((*store)->verify());
  EXPECT_EQ(everything(**store), model);
  stop.request_stop();
  EXPECT_FAULT((*store)->verify(), fault::io);
}

TEST(StateStore, AFlippedBitIsFound) {
  const temporary_directory where;
  {
    auto store = state_store::open(options_in(where));
    ASSERT_OK(store);
    std::vector<row_change> rows;
    for (int i = 1000; i < 3000; ++i) rows.push_back({std::to_string(i), std::string(100, 'v')});
    ASSERT_OK((*store)->ingest(rows));
  }
  for (const auto& entry : std::filesystem::directory_iterator(where.path() / "state")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(700);
    const auto byte = static_cast<char>(file.get() ^ 4);
    file.seekp(700);
    file.put(byte);
  }
  auto options = options_in(where);
  options.prewarm_bytes = 0;
  auto store = state_store::open(options);
  ASSERT_OK(store);
  EXPECT_FAULT((*store)->verify(), fault::corrupt);
}

TEST(StateStore, HundredsOfOverlappingCheckpointsAreTakenInWithoutStalling) {
  const temporary_directory where;
  std::mt19937_64 random(3);
  rows_by_key model;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  for (int i = 0; i < 300; ++i) ASSERT_OK((*store)->ingest(random_checkpoint(random, model)));
  EXPECT_EQ(everything(**store), model);
}

TEST(StateStore, ReadersSeeWholeCheckpointsWhileTheyAreTakenIn) {
  const temporary_directory where;
  auto store = state_store::open(options_in(where));
  ASSERT_OK(store);
  const auto checkpoint_of = [](int number) {
    std::vector<row_change> rows;
    for (int i = 100; i < 200; ++i) rows.push_back({std::to_string(i), std::to_string(number)});
    return rows;
  };
  ASSERT_OK((*store)->ingest(checkpoint_of(0)));
  std::atomic<bool> done = false;
  std::atomic<int> mixed = 0;
  std::thread reader([&] {
    while (!done) {
      std::string first;
      (void)(*store)->scan("1", "2", [&](std::string_view, std::string_view value) {
        if (first.empty()) first = value;
        if (first != value) ++mixed;
        return true;
      });
    }
  });
  for (int number = 1; number < 60; ++number) ASSERT_OK((*store)->ingest(checkpoint_of(number)));
  done = true;
  reader.join();
  EXPECT_EQ(mixed, 0);
}

}  // namespace
}  // namespace gelombang::storage::testing

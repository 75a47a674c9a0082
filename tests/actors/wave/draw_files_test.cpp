#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <set>

#include "actors/wave/draw/draw.hpp"
#include "actors/wave/draw/row.hpp"
#include "tests/actors/wave/draw_reference.hpp"

namespace gelombang::draw {
namespace {

using namespace gelombang::draw::testing;

TEST(DrawFiles, FindEveryEntryAndNoOther) {
  for (std::uint64_t seed : {20u, 21u, 22u, 23u, 24u}) {
    auto sample = make_sample(seed, 3000);
    temporary_directory directory;
    ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 2));
    auto files = draw_files::open(directory.path()).value();
    std::set<entry_id> ids;
    for (const auto& entry : sample.roster) ids.insert(entry.id);
    std::uint32_t index = 0;
    for (const auto& id : ids) {
      ASSERT_EQ(files.find(id), index++);
      auto other = id;
      other[7] ^= 1;
      ASSERT_EQ(files.find(other).has_value(), ids.contains(other));
    }
    entry_id highest;
    highest.fill(0xff);
    ASSERT_FALSE(files.find(highest));
    ASSERT_EQ(files.find(entry_id{}).has_value(), ids.contains(entry_id{}));
  }
}

TEST(DrawFiles, ProveNothingThatWasNotCommittedTo) {
  auto sample = make_sample(25, 300);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  const auto sound = draw_files::open(directory.path()).value();
  const auto damage_to = [&](std::string_view name, std::size_t at) {
    auto bytes = read_file(directory / name);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_file(directory / "beside", bytes);
    std::filesystem::rename(directory / "beside", directory / name);
  };
  for (const auto& [name, at] : {std::pair{"roster.bin", 64 + 100 * 32 + 17},  // a family
                                 {"roster.bin", 64 + 100 * 32 + 24},           // groups
                                 {"roster.bin", 64 + 100 * 32 + 7},            // an id
                                 {"tree.bin", 64 + 7 * 32}}) {                 // above 112 to 127
    damage_to(name, static_cast<std::size_t>(at));
    const auto files = draw_files::open(directory.path()).value();
    const bool is_roster = std::string_view{name} == "roster.bin";
    for (std::uint32_t i = 0; i < 300; ++i) {
      const auto proof = files.proof(i);
      if (proof) {
        ASSERT_EQ(*proof, sound.proof(i).value());
        ASSERT_EQ(files.roster()[i], sound.roster()[i]);
      } else {
        EXPECT_EQ(proof.error().code, errc::internal);
        EXPECT_NE(proof.error().detail.find("does not lead to the root"), std::string::npos);
      }
      // An entry spoils its block's proofs; a node those of the others, as it is not their own.
      if (is_roster) {
        ASSERT_EQ(proof.has_value(), i / 16 != 6) << name << ' ' << at << ' ' << i;
      }
    }
    damage_to(name, static_cast<std::size_t>(at));
  }
}

TEST(DrawFiles, ProveThatSomebodyIsNotThere) {
  auto sample = make_sample(26, 300);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  const auto open = [&] { return draw_files::open(directory.path()).value(); };
  const auto sound = open();
  const auto before = sound.roster()[99].id, lost = sound.roster()[100].id;
  auto between = before;
  ++between.back();
  entry_id highest;
  highest.fill(0xff);
  for (const auto& id : {entry_id{}, between, highest}) EXPECT_TRUE(sound.prove_absence(id));
  EXPECT_FALSE(sound.prove_absence(lost));
  // Who can't be found by what was done to his entry is not said to be missing.
  auto bytes = read_file(directory / "roster.bin");
  auto& digit = bytes[64 + 100 * 32 + 7];
  digit = static_cast<char>(digit ^ 1);
  write_file(directory / "roster.bin", bytes);
  const auto damaged = open();
  EXPECT_FALSE(damaged.find(lost));
  EXPECT_FALSE(damaged.prove_absence(lost));
  EXPECT_FALSE(damaged.prove_absence(between));
  EXPECT_TRUE(damaged.prove_absence(highest));
}

TEST(DrawFiles, GetAnotherNameOrAreSaidNotTo) {
  temporary_directory directory;
  write_file(directory / "draft", "new");
  write_file(directory / "file", "old");
  ASSERT_TRUE(move_file(directory / "draft", directory / "file"));
  EXPECT_EQ(read_file(directory / "file"), "new");
  for (const auto& [from, to] : {std::pair{"draft", "file"}, {"file", "no/such/folder"}}) {
    const auto moved = move_file(directory / from, directory / to);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().code, errc::storage_unavailable);
  }
  EXPECT_EQ(read_file(directory / "file"), "new");
}

TEST(DrawFiles, GiveLinesFromAnywhere) {
  auto sample = make_sample(30, 200);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory / "deeper" / "still", sample.roster, sample.given, 2));
  ASSERT_TRUE(run(directory / "deeper" / "still", sample.beacon, sample.secret, 2));
  auto files = draw_files::open(directory / "deeper" / "still").value();
  auto whole = files.rows(0, 200);
  std::string pieces;
  for (std::uint32_t first = 0; first < 200; first += 7) pieces += files.rows(first, 7);
  EXPECT_EQ(pieces, whole);
  EXPECT_EQ(files.rows(200, 10), "");
  EXPECT_EQ(files.rows(UINT32_MAX, UINT32_MAX), "");
  EXPECT_EQ(files.rows(0, UINT32_MAX), whole);
  ASSERT_TRUE(files.export_entries(directory / "entries.csv", 2));
  EXPECT_EQ(read_file(directory / "entries.csv"), std::string(entries_header) + whole);
}

TEST(DrawFiles, ThatAreDamagedAreNamed) {
  auto sample = make_sample(31, 100);
  sample.given.quota = 50;
  for (auto name : {"roster.bin", "tree.bin", "verdicts.bin"}) {
    temporary_directory directory;
    ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
    ASSERT_TRUE(run(directory.path(), sample.beacon, sample.secret, 1));
    auto good = read_file(directory / name);
    for (auto size : {std::size_t{0}, std::size_t{10}, good.size() - 1}) {
      write_file(directory / name, good.substr(0, size));
      auto opened = draw_files::open(directory.path());
      ASSERT_FALSE(opened) << name << " cut to " << size;
      EXPECT_EQ(opened.error().code, errc::internal);
      EXPECT_NE(opened.error().detail.find(name), std::string::npos) << opened.error().detail;
    }
    auto flipped = good;
    flipped[80] = static_cast<char>(flipped[80] ^ 0x04);
    write_file(directory / name, flipped);
    auto checked = draw_files::open(directory.path())->check(2);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, errc::internal);
    flipped = good;
    flipped[20] = static_cast<char>(flipped[20] ^ 1);
    write_file(directory / name, flipped);
    EXPECT_FALSE(draw_files::open(directory.path())) << name << " of another roster";
    std::filesystem::remove(directory / name);
    EXPECT_EQ(draw_files::open(directory.path()).error().code, errc::internal);
    write_file(directory / name, good);
    EXPECT_TRUE(draw_files::open(directory.path())->check(2));
  }
}

TEST(DrawFiles, WithAnUnknownOutcomeAreNamed) {
  auto sample = make_sample(34, 40);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  ASSERT_TRUE(run(directory.path(), sample.beacon, sample.secret, 1));
  auto bytes = read_file(directory / "verdicts.bin");
  bytes[64 + 4 * 7 + 3] = static_cast<char>(0xFF);
  write_file(directory / "verdicts.bin", bytes);
  auto opened = draw_files::open(directory.path());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("verdicts.bin"), std::string::npos);
}

TEST(DrawRows, HaveRoomForWhateverADamagedRosterSays) {
  roster_entry all{.family = UINT64_MAX,
                   .groups = UINT32_MAX,
                   .region = region_code{UINT16_MAX},
                   .family_room = UINT8_MAX,
                   .unused = UINT8_MAX};
  std::array<char, 2 * row_bytes_max> text{};
  auto committed = write_committed(text.data(), all) - text.data();
  EXPECT_EQ(static_cast<std::size_t>(committed), committed_bytes_max);
  digest ticket;
  ticket.fill(0xFF);
  auto longest = verdict{outcome::reserve, (1u << 30) - 1};
  EXPECT_LE(static_cast<std::size_t>(write_row(text.data(), all, ticket, longest) - text.data()),
            row_bytes_max);
}

TEST(DrawFiles, OfADamagedRosterAreNeverDrawnFrom) {
  auto sample = make_sample(32, 100);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  auto bytes = read_file(directory / "roster.bin");
  bytes[64 + 32 * 5 + 20] = static_cast<char>(bytes[64 + 32 * 5 + 20] ^ 1);
  write_file(directory / "roster.bin", bytes);
  auto drawn = run(directory.path(), sample.beacon, sample.secret, 1);
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, errc::draw_damaged);
  EXPECT_FALSE(std::filesystem::exists(directory / "drawn.json"));
}

TEST(DrawFiles, ThatCannotBeWrittenRefuseTheStage) {
  auto sample = make_sample(33, 20);
  temporary_directory directory;
  write_file(directory / "file", "not a directory");
  auto committed = commit(directory / "file" / "draw", sample.roster, sample.given, 1);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, errc::storage_unavailable);
  file_replacement full{"/dev/full/none"};
  full.append("x");
  EXPECT_EQ(full.finish().error().code, errc::storage_unavailable);
}

TEST(DrawRows, HaveOneSpelling) {
  const std::string good =
      "07923986bb968a437d5c8dfc5eda92d8,1101,3,d707107e855c3844,1,"
      "8e45170eaa98329f879009490c6b40ffebdd27e26ff40248bbbab678601e94c8,reserve,4";
  auto row = read_row(good);
  ASSERT_TRUE(row);
  std::array<char, row_bytes_max> text;
  auto* end = write_row(text.data(), row->entry, row->drawn->ticket, row->drawn->own);
  EXPECT_EQ(std::string(text.data(), end), good + "\n");
  auto with = [&](std::string_view what, std::string_view instead) {
    auto changed = good;
    changed.replace(changed.find(what), what.size(), instead);
    auto read = read_row(changed);
    return std::string(read ? "reads" : read.error());
  };
  EXPECT_EQ(with("07923986bb", "07923986BB"), "entry_id");
  EXPECT_EQ(with("07923986bb", "07923986b"), "entry_id");
  EXPECT_EQ(with(",1101,", ",101,"), "region");
  EXPECT_EQ(with(",1101,", ",01101,"), "region");
  EXPECT_EQ(with(",3,", ",03,"), "groups");
  EXPECT_EQ(with(",3,", ",+3,"), "groups");
  EXPECT_EQ(with(",3,", ",,"), "groups");
  EXPECT_EQ(with(",3,", ",4294967295,"), "reads");
  EXPECT_EQ(with(",3,", ",4294967296,"), "groups");
  EXPECT_EQ(with("d707", "d70"), "family");
  EXPECT_EQ(with(",1,8e", ",0,8e"), "family_room");
  EXPECT_EQ(with(",1,8e", ",3,8e"), "family_room");
  EXPECT_EQ(with("8e45", "8E45"), "ticket");
  EXPECT_EQ(with("reserve", "Reserve"), "outcome");
  EXPECT_EQ(with("reserve,4", "accepted,4"), "order");
  EXPECT_EQ(with("reserve,4", "reserve,"), "order");
  EXPECT_EQ(with("reserve,4", "reserve,0"), "order");
  EXPECT_EQ(with("reserve,4", "reserve,04"), "order");
  EXPECT_EQ(with("reserve,4", "reserve,1073741824"), "order");
  EXPECT_EQ(with("reserve,4", "reserve,4,"), "row");
  EXPECT_EQ(with("reserve,4", "reserve"), "row");
  EXPECT_EQ(with("reserve,4", "accepted,"), "reads");
}

TEST(DrawRows, TakeAnyBytesWithoutHarm) {
  std::mt19937_64 random{40};
  const std::string good =
      "07923986bb968a437d5c8dfc5eda92d8,1101,3,d707107e855c3844,1,"
      "8e45170eaa98329f879009490c6b40ffebdd27e26ff40248bbbab678601e94c8,reserve,4";
  for (int i = 0; i < 100'000; ++i) {
    auto line = good;
    for (auto changes = random() % 4; changes > 0; --changes) {
      line[random() % line.size()] = static_cast<char>(random() % 3 == 0 ? ',' : random());
    }
    auto row = read_row(line);
    if (!row) continue;
    std::array<char, row_bytes_max> text;
    auto* end = row->drawn ? write_row(text.data(), row->entry, row->drawn->ticket, row->drawn->own)
                           : write_row(text.data(), row->entry);
    ASSERT_EQ(std::string(text.data(), end), line + "\n") << "what reads is what is written";
  }
}

}  // namespace
}  // namespace gelombang::draw

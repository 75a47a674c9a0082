#include <filesystem>
#include <fstream>

#include "tests/actors/wave/drawn_wave.hpp"

/// What is lost of a draw's files once the accepted are members.
namespace gelombang::rooms_test {
namespace {

namespace fs = std::filesystem;

TEST_F(DrawnWave, EachFileThatIsLostAfterTheAnnouncementIsMadeAgainToTheByte) {
  take_to(wave::wire::ANNOUNCED);
  const auto whole = files();
  ASSERT_EQ(whole.size(), 6u);
  for (const auto& [name, bytes] : whole) {
    fs::remove(folder() / name);
    machine one{around_};
    look_after(one);
    EXPECT_EQ(files(), whole) << name;
    EXPECT_EQ(refusal_of_files(one).code, errc::ok) << name;
    EXPECT_EQ(log_.lines_with("/" + name + ": is not there"), 1);
  }
  EXPECT_EQ(log_.lines_with("made again, the same"), 6);
  fs::remove_all(folder().parent_path());
  machine one{around_};
  look_after(one);
  EXPECT_EQ(files(), whole);
}

TEST_F(DrawnWave, FilesLostInTheMidstOfAnAnnouncementAreMadeAgainAndItGoesOn) {
  ASSERT_NO_FATAL_FAILURE(stop_while_announcing());
  const auto whole = files();
  fs::remove_all(folder());
  machine one{around_};
  one.desk->look_after_all();
  one.desk_in_use = true;
  one.settle();
  EXPECT_EQ(files(), whole);
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCED);
  EXPECT_EQ(one.running->count({runtime::counter::family::accepted, number_.value}), 10);
}

/// Members and families are counted as they were at each commitment.
TEST(RemadeFiles, AreThoseOfEachOfTwoWavesThatShareTheirPeople) {
  world around;
  const auto read = [&](wave_number wave) {
    const auto folder = around.where.path() / "draws" / ("wave-" + std::to_string(wave.value));
    std::map<std::string, std::string> all;
    for (const auto& one : fs::directory_iterator{folder}) {
      std::ifstream in{one.path(), std::ios::binary};
      all[one.path().filename().string()] = {std::istreambuf_iterator<char>{in}, {}};
    }
    return all;
  };
  wave_number first, second;
  {
    machine one{around};
    const auto people = ready_people(one, 60);
    second = one.open_wave(40), first = one.open_wave(40);
    join_all(one, people, first);
    join_all(one, people, second);
    announce(one, first);
    announce(one, second);
  }
  const auto of_first = read(first), of_second = read(second);
  ASSERT_NE(of_first.at("roster.bin").size(), of_second.at("roster.bin").size())
      << "members are no entries of the second";
  fs::remove_all(around.where.path() / "draws");
  machine one{around};
  one.settle();
  one.desk->look_after_all();
  one.wait_for_desk();
  EXPECT_EQ(read(first), of_first);
  EXPECT_EQ(read(second), of_second);
}

TEST_F(DrawnWave, NothingIsMadeFromARosterThatIsNotTheOneCommittedTo) {
  take_to(wave::wire::ANNOUNCED);
  const auto whole = files();
  flip("roster.bin", 64 + 32 * 5 + 20, 1);
  fs::remove(folder() / "tree.bin");
  const auto altered = files();
  machine one{around_};
  look_after(one);
  EXPECT_EQ(files(), altered);
  EXPECT_EQ(log_.lines_with("wave 1: wave-1/tree.bin: is not there, and can't be made again: "
                            "wave-1/roster.bin: is not what was committed to"),
            1);
  const auto why = refusal_of_files(one);
  EXPECT_EQ(why.code, errc::draw_damaged);
  EXPECT_EQ(why.detail, "wave-1/tree.bin: is not there");
  put(whole);
  one.advance(1s);
  EXPECT_EQ(refusal_of_files(one).code, errc::ok);
}

TEST_F(DrawnWave, AFileThatNothingIsLeftToMakeFromIsNamedAndAskedBack) {
  take_to(wave::wire::ANNOUNCED);
  applicant_id someone;
  {
    machine one{around_};
    one.settle();
    someone = one.account(1);
    ASSERT_TRUE(one.running->checkpoint());
  }
  const auto home = runtime::shard_of(someone.value, machine::shards);
  around_.store_row(runtime::participation_key(home, number_, someone), unreadable_row);
  fs::remove(folder() / "roster.bin");
  const auto left = files();
  machine one{around_};
  look_after(one);
  EXPECT_EQ(files(), left);
  EXPECT_EQ(log_.lines_with("wave 1: wave-1/roster.bin: is not there, and can't be made again: a "
                            "participation row does not parse"),
            1);
  EXPECT_EQ(log_.lines_with("restore from a backup"), 1);
  const auto why = refusal_of_files(one);
  EXPECT_EQ(why.code, errc::draw_damaged);
  EXPECT_EQ(why.detail, "wave-1/roster.bin: is not there");
}

TEST_F(DrawnWave, AnAnnouncementThatAKillHasCutShortGoesOnAsSoonAsItsFilesAreRead) {
  ASSERT_NO_FATAL_FAILURE(stop_while_announcing());
  machine one{around_};
  one.desk_in_use = true;
  one.settle();
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCED) << "no second has passed";
  EXPECT_EQ(one.running->count({runtime::counter::family::accepted, number_.value}), 10);
}

}  // namespace
}  // namespace gelombang::rooms_test

#pragma once

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "tests/actors/wave/announcing.hpp"
#include "tests/log_capture.hpp"

/// A wave of twenty people, and the files of its draw.
namespace gelombang::rooms_test {

using contents = std::map<std::string, std::string>;

/// Twenty have joined, and ten will be accepted.
class DrawnWave : public ::testing::Test {
protected:
  void SetUp() override {
    machine one{around_};
    const auto people = ready_people(one, 20);
    number_ = one.open_wave(10);
    join_all(one, people, number_);
  }

  /// Gives the orders that lead to `phase`.
  void take_to(machine& in, wave::wire::Phase phase) const {
    in.desk_in_use = true;
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::OPEN)
      applicant::testing::must(in.order(number_, wave::close{in.time.now()}));
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::CLOSED)
      applicant::testing::must(in.order(number_, in.commitment()));
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::COMMITTED)
      applicant::testing::must(in.order(number_, in.draw()));
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::DRAWN)
      applicant::testing::must(in.order(number_, wave::announce{in.time.now()}));
    ASSERT_EQ(phase_of(in, number_), phase);
  }
  void take_to(wave::wire::Phase phase) {
    machine one{around_};
    one.settle();
    take_to(one, phase);
  }

  static wave::hold_draw other_draw(const machine& in) {
    auto other = in.draw();
    other.beacon_value = "other randomness";
    return other;
  }

  /// A start, with all that it does about files.
  static void look_after(machine& in) {
    in.settle();
    in.desk->look_after_all();
    in.desk_in_use = true;
    in.wait_for_desk();
  }

  /// Draws, and ends the process when the announcement has begun.
  void stop_while_announcing() {
    take_to(wave::wire::DRAWN);
    machine one{around_};
    one.settle();
    one.desk_in_use = true;
    (void)one.send<wave::facts>(runtime::ref_of(number_), wave::announce{one.time.now()});
    for (int steps = 0; phase_of(one, number_) != wave::wire::ANNOUNCING; ++steps) {
      ASSERT_LT(steps, 1000);
      if (!one.step()) one.running->pump();
    }
  }

  std::filesystem::path folder() const {
    return around_.where.path() / "draws" / ("wave-" + std::to_string(number_.value));
  }
  contents files() const {
    contents all;
    for (const auto& one : std::filesystem::directory_iterator{folder()}) {
      std::ifstream in{one.path(), std::ios::binary};
      all[one.path().filename().string()] = {std::istreambuf_iterator<char>{in}, {}};
    }
    return all;
  }
  /// Made beside those that are there, so that they are others even to the file system.
  void put(const contents& all) const {
    const auto beside = around_.where.path() / "beside";
    std::filesystem::create_directories(beside);
    for (const auto& [name, bytes] : all) std::ofstream{beside / name, std::ios::binary} << bytes;
    std::filesystem::remove_all(folder());
    std::filesystem::rename(beside, folder());
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) const {
    auto all = files();
    const auto at = all[name].find(from);
    ASSERT_NE(at, std::string::npos) << name;
    all[name].replace(at, from.size(), to);
    put(all);
  }

  void flip(const std::string& name, std::size_t at, char bits) const {
    auto all = files();
    ASSERT_LT(at, all[name].size());
    all[name][at] = static_cast<char>(all[name][at] ^ bits);
    put(all);
  }
  /// Lets everybody in who stands in the reserve.
  void accept_all() const {
    auto all = files();
    auto& verdicts = all["verdicts.bin"];
    ASSERT_EQ(verdicts.size(), verdicts_at + 20 * sizeof(draw::verdict));
    int let_in = 0;
    for (auto at = verdicts_at; at < verdicts.size(); at += sizeof(draw::verdict)) {
      draw::verdict own;
      std::memcpy(&own, verdicts.data() + at, sizeof own);
      if (own.outcome() != draw::outcome::reserve) continue;
      own = draw::verdict{draw::outcome::accepted, 0};
      std::memcpy(verdicts.data() + at, &own, sizeof own);
      ++let_in;
    }
    ASSERT_GT(let_in, 0);
    put(all);
  }

  void expect_not_announced(machine& in, const std::string& why) const {
    in.desk_in_use = true;
    const auto told = in.order(number_, wave::announce{in.time.now()});
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, errc::draw_damaged);
    EXPECT_THAT(told.error().detail, ::testing::HasSubstr(why));
    EXPECT_EQ(phase_of(in, number_), wave::wire::DRAWN);
    EXPECT_EQ(in.running->count({runtime::counter::family::accepted, number_.value}), 0);
  }

  refusal refusal_of_files(machine& in) const {
    const auto files = in.desk->files_of(number_, draw::stage::drawn);
    return files ? refusal{.code = errc::ok} : files.error();
  }

  static constexpr std::size_t verdicts_at = 64;  ///< behind the file's header
  static constexpr std::string_view computed_again = "its draw is computed again";

  world around_;
  wave_number number_;
  const gelombang::testing::log_capture log_;
};

}  // namespace gelombang::rooms_test

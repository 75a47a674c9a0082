#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/actors/wave/announcing.hpp"

/// The files of a draw that somebody writes to while the node has them open.
namespace gelombang::rooms_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class WrittenFiles : public ::testing::Test {
protected:
  void SetUp() override {
    const auto people = ready_people(in_, 200);
    number_ = in_.open_wave(50);
    join_all(in_, people, number_);
    in_.desk_in_use = true;
    applicant::testing::must(in_.order(number_, wave::close{in_.time.now()}));
    applicant::testing::must(in_.order(number_, in_.commitment()));
  }

  fs::path file(const std::string& name) const {
    return around_.where.path() / "draws" / ("wave-" + std::to_string(number_.value)) / name;
  }
  auto files(draw::stage upto = draw::stage::drawn) { return in_.desk->files_of(number_, upto); }

  world around_;
  machine in_{around_};
  wave_number number_;
};

TEST_F(WrittenFiles, AreNotAnsweredFromAfterwardsAndNotKept) {
  applicant::testing::must(in_.order(number_, in_.draw()));
  for (const auto* name : {"roster.bin", "tree.bin", "verdicts.bin"}) {
    const auto open = files();
    ASSERT_TRUE(open) << open.error().detail;
    EXPECT_TRUE(in_.desk->confirm(number_, **open));
    const auto aside = file(name).string() + ".aside";
    fs::copy_file(file(name), aside);
    fs::resize_file(file(name), 0);
    (void)(*open)->rows(0, 200);
    EXPECT_FALSE(name != std::string_view{"verdicts.bin"} && (*open)->proof(199)) << name;
    const auto told = in_.desk->confirm(number_, **open);
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, errc::draw_damaged);
    EXPECT_THAT(told.error().detail, HasSubstr(std::string{"wave-1/"} + name + ": was cut"));
    EXPECT_EQ(files().error().code, errc::draw_damaged);
    fs::rename(aside, file(name));
    in_.advance(1s);
  }
  EXPECT_TRUE(files());
}

TEST_F(WrittenFiles, AreKnownToBeDamagedByWhatIsLookedAtOrWasComputed) {
  applicant::testing::must(in_.order(number_, in_.draw()));
  EXPECT_THAT(in_.desk->known_faults(), ::testing::IsEmpty());
  fs::rename(file("tree.bin"), file("aside"));
  EXPECT_THAT(in_.desk->known_faults(),
              ::testing::ElementsAre(HasSubstr("wave-1/tree.bin: is not there")));
  fs::rename(file("aside"), file("tree.bin"));
  EXPECT_THAT(in_.desk->known_faults(), ::testing::IsEmpty());
  const auto whole = file("owners.bin").string() + ".whole";
  fs::copy_file(file("owners.bin"), whole);
  std::fstream{file("owners.bin"), std::ios::in | std::ios::out | std::ios::binary}
      << std::string(fs::file_size(whole), 'o');
  EXPECT_FALSE(in_.order(number_, wave::announce{in_.time.now()}));
  EXPECT_THAT(in_.desk->known_faults(), ::testing::ElementsAre(HasSubstr("wave-1/owners.bin")));
  fs::rename(whole, file("owners.bin"));
  EXPECT_TRUE(in_.order(number_, wave::announce{in_.time.now()}));
  EXPECT_THAT(in_.desk->known_faults(), ::testing::IsEmpty());
}

TEST_F(WrittenFiles, WithAnotherRosterAreDamagedAndNothingIsDrawn) {
  std::fstream bytes{file("roster.bin"), std::ios::in | std::ios::out | std::ios::binary};
  constexpr std::streamoff in_an_entry = 64 + 32 * 5 + 20;
  bytes.seekg(in_an_entry);
  const auto byte = static_cast<char>(bytes.get());
  const auto put = [&](char one) {
    bytes.seekp(in_an_entry);
    bytes.put(one);
    bytes.flush();
  };
  put(static_cast<char>(byte ^ 1));
  const auto told = in_.order(number_, in_.draw());
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::draw_damaged);
  EXPECT_EQ(told.error().detail, "wave-1/roster.bin: is not what was committed to");
  EXPECT_EQ(phase_of(in_, number_), wave::wire::COMMITTED);
  EXPECT_FALSE(fs::exists(file("drawn.json")));
  put(byte);
  EXPECT_TRUE(in_.order(number_, in_.draw()));
}

}  // namespace
}  // namespace gelombang::rooms_test

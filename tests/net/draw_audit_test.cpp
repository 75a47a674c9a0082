#include "net/command/draw_audit.hpp"

#include <gmock/gmock.h>

#include "actors/roster/roster.pb.h"
#include "actors/runtime/entity.hpp"
#include "tests/net/audited_data.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;

template <class Bytes>
std::string text(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// A node's data with wave 7, drawn of three seeded people; the last two are of one family.
class DrawAudit : public audited_data {
protected:
  void SetUp() override {
    audited_data::SetUp();
    std::vector<draw::roster_entry> roster;
    std::map<entry_id, std::uint64_t> owner;
    for (std::uint64_t i = 1; i <= 3; ++i) {
      const auto who = keys_.account_of(seed::email_of(i));
      const auto family = i == 1 ? 11u : 12u;
      append_join_of(who, family);
      const auto entry = keys_.entry_of(number, who);
      roster.push_back({.id = entry,
                        .family = family,
                        .groups = 0,
                        .region = draw::testing::region_of_three,
                        .family_room = 2});
      owner[entry] = who.value;
    }
    for (const auto& [entry, who] : owner) owners_.push_back(who);
    const auto given = draw::testing::parameters_for_three(number, 2, "secret");
    const auto committed = draw::commit(folder_, roster, given, 1);
    ASSERT_TRUE(committed);
    put_owners(owners_);
    const auto drawn = draw::run(folder_, "randomness", "secret", 1);
    ASSERT_TRUE(drawn);
    wave_ = draw::testing::committed_state(given, *committed);
    wave_.set_phase(wave::wire::DRAWN);
    auto& result = *wave_.mutable_result();
    result.set_beacon_value("randomness");
    result.set_operator_secret("secret");
    result.set_seed(text(drawn->drawn->seed));
    result.set_accepted(2);
    result.set_summary_sha256(text(sha256(draw::to_json(*drawn))));
    store_wave();
  }

  /// The journal's word on the wave, as a checkpoint has it.
  void store_wave() const {
    const auto who = runtime::ref_of(number);
    store_row(runtime::snapshot_key(runtime::shard_of(who.id, shards), who),
              wave_.SerializeAsString());
  }

  /// As its shard's settling leaves it: the row, and the shard's count.
  void make_member(std::uint64_t who) const {
    const auto shard = runtime::shard_of(who, shards);
    roster::wire::Member row;
    row.set_wave(number.value);
    store_row(runtime::member_key(shard, applicant_id{who}), row.SerializeAsString());
    const auto key = runtime::shard_key(shard);
    runtime::wire::Shard own;
    {
      const auto store =
          std::move(storage::state_store::open_to_read({.directory = at_.state()}).value());
      ASSERT_TRUE(own.ParseFromString(*store->get(std::vector{key}).value().front()));
    }
    const runtime::counter which{runtime::counter::family::accepted, number.value};
    auto& all = *own.mutable_counters();
    auto counted = std::find_if(all.begin(), all.end(),
                                [&](const auto& one) { return one.key() == which.packed(); });
    if (counted == all.end()) {
      own.add_counters()->set_key(which.packed());
      counted = all.end() - 1;
    }
    counted->set_value(counted->value() + 1);
    store_row(key, own.SerializeAsString());
  }

  void put_owners(const std::vector<std::uint64_t>& owners) const {
    std::ofstream out{folder_ / "owners.bin", std::ios::binary | std::ios::trunc};
    out.write(reinterpret_cast<const char*>(owners.data()),
              static_cast<std::streamsize>(owners.size() * sizeof(std::uint64_t)));
  }

  /// The places of the two of one family.
  std::pair<std::size_t, std::size_t> relatives() const {
    const auto files = draw::draw_files::open(folder_).value();
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < 3; ++i)
      if (files.roster()[i].family == 12) found.push_back(i);
    return {found.at(0), found.at(1)};
  }

  static constexpr wave_number number{7};
  const std::filesystem::path folder_ = at_.draws() / "wave-7";
  std::vector<std::uint64_t> owners_;  ///< in the order of the roster
  wave::wire::State wave_;
};

TEST_F(DrawAudit, FindsAllAsTheJournalHasIt) {
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_,
              HasSubstr("draw wave-7: 3 entries, drawn: recomputed, agrees; as the journal"));
  EXPECT_EQ(run(key_file()), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("each entry is its owner's"));
}

TEST_F(DrawAudit, MissesEveryFileAndAllOfThem) {
  for (const auto* name :
       {"roster.bin", "tree.bin", "committed.json", "owners.bin", "verdicts.bin", "drawn.json"}) {
    std::filesystem::rename(folder_ / name, where_.path() / "aside");
    EXPECT_EQ(run(), 1) << name;
    EXPECT_THAT(complaint_, HasSubstr(std::string{"draw wave-7/"} + name + ": is not there"));
    std::filesystem::rename(where_.path() / "aside", folder_ / name);
  }
  std::filesystem::remove_all(at_.draws());
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("draw wave-7/"));
}

TEST_F(DrawAudit, NotesWhatIsMissingOfACancelledWave) {
  wave_.set_phase(wave::wire::CANCELLED);
  wave_.clear_result();
  store_wave();
  for (const auto* name : {"verdicts.bin", "drawn.json"}) std::filesystem::remove(folder_ / name);
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("draw wave-7: 3 entries, committed: recomputed, agrees"));
  std::filesystem::remove(folder_ / "tree.bin");
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: wave-7: is not all there, and the wave was cancelled"));
  std::filesystem::remove_all(at_.draws());
  EXPECT_EQ(run(), 0) << complaint_;
}

TEST_F(DrawAudit, FindsASummaryThatWasAlteredAlsoBehindTheDraw) {
  const auto other = draw::testing::parameters_for_three(number, 1, "secret");
  const auto altered =
      draw::commit(where_.path() / "other", draw::testing::roster_of_three(), other, 1);
  ASSERT_TRUE(altered);
  std::ofstream{folder_ / "committed.json"} << draw::to_json(*altered);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("draw wave-7/"));
}

TEST_F(DrawAudit, FindsADrawThatIsWholeAndAnother) {
  // Made anew from what is there, so that the files agree with each other.
  ASSERT_TRUE(draw::run(folder_, "other randomness", "secret", 1));
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("wave-7/drawn.json: beacon_value is not what the journal has"));
}

TEST_F(DrawAudit, FindsOwnersOfOtherEntries) {
  const auto stranger = keys_.account_of(seed::email_of(9)).value;
  auto rotated = owners_;
  std::rotate(rotated.begin(), rotated.begin() + 1, rotated.end());
  for (const auto& other : {rotated,
                            {owners_[0], owners_[1], stranger},
                            {owners_[0], owners_[1]},
                            {owners_[0], owners_[0], owners_[0]}}) {
    put_owners(other);
    EXPECT_EQ(run(), 1);
    EXPECT_THAT(complaint_, HasSubstr("draw wave-7/owners.bin"));
  }
}

TEST_F(DrawAudit, WithTheKeyTwoOfAFamilyCannotChangePlaces) {
  const auto [one, other] = relatives();
  std::swap(owners_[one], owners_[other]);
  put_owners(owners_);
  EXPECT_EQ(run(), 0) << "without it they can't be told apart";
  EXPECT_EQ(run(key_file()), 1);
  EXPECT_THAT(complaint_, HasSubstr("is not its owner's"));
  owners_[one] = owners_[other];
  put_owners(owners_);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("somebody has two entries"));
}

TEST_F(DrawAudit, ComparesMembersWithTheAcceptedBothWays) {
  wave_.set_phase(wave::wire::ANNOUNCED);
  store_wave();
  const auto files = draw::draw_files::open(folder_).value();
  std::vector<std::uint64_t> accepted, others;
  for (std::uint32_t i = 0; i < 3; ++i)
    (files.verdict_of(i).outcome() == draw::outcome::accepted ? accepted : others)
        .push_back(owners_[i]);
  ASSERT_EQ(accepted.size(), 2u);
  make_member(accepted[0]);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("is accepted, and its owner"));
  EXPECT_THAT(complaint_, HasSubstr(fmt::format("{:016x} is no member", accepted[1])));
  wave_.set_phase(wave::wire::ANNOUNCING);
  store_wave();
  EXPECT_EQ(run(), 0) << complaint_ << "not all shards have settled";
  wave_.set_phase(wave::wire::DRAWN);
  store_wave();
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("wave-7: 1 are members by it, and it was not announced"));
  wave_.set_phase(wave::wire::ANNOUNCED);
  store_wave();
  make_member(accepted[1]);
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("draw wave-7: 2 members, the accepted and nobody else"));
  make_member(others[0]);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("is not accepted, and its owner"));
}

TEST_F(DrawAudit, FindsAMemberWhoHasNoEntry) {
  wave_.set_phase(wave::wire::ANNOUNCING);
  store_wave();
  make_member(keys_.account_of(seed::email_of(9)).value);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("1 are members by this wave and have no entry"));
}

TEST_F(DrawAudit, ADrawThatTheJournalDoesNotKnowIsNoted) {
  wave_.set_phase(wave::wire::COMMITTED);
  wave_.clear_result();
  store_wave();
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: wave-7/drawn.json: is there, and the journal knows nothing"));
  wave_.set_phase(wave::wire::CLOSED);
  wave_.clear_commitment();
  store_wave();
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: wave-7/drawn.json"));
}

}  // namespace
}  // namespace gelombang::command

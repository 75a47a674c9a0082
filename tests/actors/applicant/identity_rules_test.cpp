#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/registry/lists.hpp"
#include "tests/actors/applicant/people.hpp"

namespace gelombang::applicant {
namespace {

using namespace testing;
using ::testing::ElementsAre;

std::vector<registry_mail> registry_mails(const account& who) {
  std::vector<registry_mail> mails;
  for (const auto& mail : who.sent) {
    if (const auto* one = std::get_if<registry_mail>(&mail)) mails.push_back(*one);
  }
  return mails;
}

// --- identity ---

TEST(SubmitIdentity, AsksForTheNikThenForTheFamilyCard) {
  world all;
  human person;
  auto who = all.verified();
  who.sent.clear();
  ASSERT_TRUE(all.submit(who, person));
  EXPECT_EQ(stage_of(who.state), stage::identity_submitted);
  EXPECT_FALSE(identity_answer(who.state)) << "not answered yet";

  auto mails = registry_mails(who);
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0].to, registry_mail::kind::person);
  auto nik_at = registry::address_of(all.keys.nik_hash(person.nik_digits));
  EXPECT_EQ(mails[0].id, nik_at.id);
  EXPECT_EQ(mails[0].ask.take().rest(), nik_at.rest);

  who.sent.clear();
  must(all.hear(who, all.deliver(mails[0])->second));
  EXPECT_EQ(stage_of(who.state), stage::identity_submitted);
  mails = registry_mails(who);
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0].to, registry_mail::kind::family);
  EXPECT_EQ(mails[0].id, all.keys.family_of(person.kk_digits));

  must(all.hear(who, all.deliver(mails[0])->second));
  EXPECT_EQ(stage_of(who.state), stage::identity_verified);
  EXPECT_TRUE(identity_answer(who.state).value());
}

TEST(SubmitIdentity, NothingReadableIsStored) {
  world all;
  human person;
  auto who = all.identified(person);
  for (const auto& text : {person.nik_digits, person.kk_digits, person.name, std::string("Siti")}) {
    EXPECT_EQ(bytes_of(who.state).find(text), std::string::npos);
    for (const auto& event : who.history) EXPECT_EQ(bytes_of(event).find(text), std::string::npos);
  }
  auto papers = open_identity(all.keys, who.id, who.state);
  ASSERT_TRUE(papers);
  EXPECT_EQ(papers->number.digits(), person.nik_digits);
  EXPECT_EQ(papers->card.digits(), person.kk_digits);
  EXPECT_EQ(papers->full_name, person.name);
}

TEST(SubmitIdentity, NeedsAVerifiedAddress) {
  world all;
  account who{.id = {1}};
  EXPECT_EQ(code_of(all.submit(who, {})), errc::not_found);
  must(all.enter(who));
  EXPECT_EQ(code_of(all.submit(who, {})), errc::stage_out_of_order);
}

TEST(SubmitIdentity, NamesTheFieldThatIsWrong) {
  world all;
  struct wrong {
    human person;
    errc code;
    std::string field;
  };
  std::vector<wrong> wrongs(6);
  wrongs[0] = {{}, errc::name_invalid, "/full_name"};
  wrongs[0].person.name = "S1ti";
  wrongs[1] = {{}, errc::nik_invalid, "/nik"};
  wrongs[1].person.birth = std::chrono::year{1990} / 8 / 18;
  wrongs[2] = {{}, errc::birth_date_invalid, "/birth_date"};
  wrongs[2].person.birth = std::chrono::year{1990} / 2 / 30;
  wrongs[3] = {{}, errc::birth_date_invalid, "/birth_date"};
  wrongs[3].person.birth = std::chrono::year{2090} / 8 / 17;
  wrongs[4] = {{}, errc::region_unknown, "/region"};
  wrongs[4].person.region = region_code{3299};
  wrongs[5] = {{}, errc::birth_date_invalid, "/birth_date"};
  wrongs[5].person.birth = std::chrono::year{1890} / 8 / 17;
  for (const auto& [person, code, field] : wrongs) {
    auto who = all.verified();
    auto events = who.history.size();
    auto answer = all.submit(who, person);
    ASSERT_EQ(code_of(answer), code) << field;
    EXPECT_EQ(answer.error().field, field);
    EXPECT_EQ(who.history.size(), events);
  }
}

TEST(SubmitIdentity, TheSameAgainAttachesAndAnotherIsRefusedWhilePending) {
  world all;
  human person;
  auto who = all.verified();
  must(all.submit(who, person));
  auto events = who.history.size();
  EXPECT_TRUE(all.submit(who, person));
  person.name = " Siti  Aminah ";
  EXPECT_TRUE(all.submit(who, person)) << "blanks are no difference";
  person.name = "Siti Amina";
  EXPECT_EQ(code_of(all.submit(who, person)), errc::identity_pending);
  EXPECT_EQ(code_of(all.submit(who, nth_human(5))), errc::identity_pending);
  EXPECT_EQ(who.history.size(), events);
}

TEST(SubmitIdentity, IsFixedOnceVerified) {
  world all;
  auto who = all.identified();
  EXPECT_TRUE(all.submit(who, {})) << "the same again";
  for (auto change : {0, 1, 2, 3}) {
    human other;
    if (change == 0) other.nik_digits.back() = '2';
    if (change == 1) other.kk_digits.back() = '8';
    if (change == 2) other.name = "Siti";
    if (change == 3) other.region = region_code{3202};
    EXPECT_EQ(code_of(all.submit(who, other)), errc::identity_fixed) << change;
  }
}

TEST(SubmitIdentity, ANikThatSomebodyHasIsRejectedAndCanBeTriedAgain) {
  world all;
  auto first = all.identified({}, 1);
  auto second = all.verified(2);
  must(all.submit(second, {}));
  all.settle(second);
  EXPECT_EQ(stage_of(second.state), stage::identity_rejected);
  EXPECT_EQ(code_of(identity_answer(second.state).value()), errc::nik_taken);
  EXPECT_TRUE(second.state.identity().sealed().empty()) << "what is not accepted is not kept";
  EXPECT_THAT(answer_to(second.id, second.state, read_me{}, all.keys)->reasons,
              ElementsAre("nik_taken"));

  must(all.submit(second, nth_human(5)));
  all.settle(second);
  EXPECT_EQ(stage_of(second.state), stage::identity_verified);
}

TEST(SubmitIdentity, AFamilyOfAnotherRegionGivesTheNikBack) {
  world all;
  auto first = all.identified({}, 1);
  auto second = all.verified(2);
  auto person = nth_human(5);
  person.region = region_code{3273};
  must(all.submit(second, person));
  all.settle(second);
  EXPECT_EQ(code_of(identity_answer(second.state).value()), errc::family_region_mismatch);

  auto third = all.verified(3);
  person.region = region_code{3201};
  must(all.submit(third, person));
  all.settle(third);
  EXPECT_EQ(stage_of(third.state), stage::identity_verified);
}

TEST(SubmitIdentity, AnswersThatCameTwiceOrTooLateChangeNothing) {
  world all;
  auto who = all.identified();
  auto before = bytes_of(who.state);
  for (std::uint32_t claim = 0; claim <= who.state.claims() + 1; ++claim) {
    registry::wire::Answer answer;
    answer.set_claim(claim);
    answer.mutable_taken()->set_lists(1);
    must(all.hear(who, answer));
    answer.mutable_refused()->set_reason(registry::wire::TAKEN);
    must(all.hear(who, answer));
    answer.mutable_enrolled();
    must(all.hear(who, answer));
  }
  EXPECT_EQ(bytes_of(who.state), before);
}

TEST(SubmitIdentity, KeepsNoClaimOnceItIsSettled) {
  world all;
  auto who = all.identified();
  EXPECT_FALSE(who.state.identity().has_claim());
}

TEST(SubmitIdentity, BlockingDoesNotLoseAnAnswer) {
  world all;
  auto who = all.verified();
  must(all.submit(who, {}));
  must(who.take(decide(who.state, block{.reason = "fraud", .now = noon})));
  all.settle(who);
  must(who.take(decide(who.state, unblock{.now = noon})));
  EXPECT_EQ(stage_of(who.state), stage::identity_verified);
}

// --- lists ---

TEST(Lists, ComeWithTheNikAndChangeLater) {
  world all;
  auto where = registry::address_of(all.keys.nik_hash(human{}.nik_digits));
  registry_mail listing{registry_mail::kind::person, where.id, {}};
  auto& list = *listing.ask.mutable_list();
  list.set_rest(where.rest);
  list.set_list(static_cast<std::uint32_t>(registry::list::civil_service));
  list.set_version(1);
  list.set_listed(true);
  EXPECT_EQ(all.deliver(listing), std::nullopt) << "nobody to tell";

  auto who = all.identified();
  EXPECT_EQ(who.state.lists(), registry::mask_of(registry::list::civil_service));
  EXPECT_EQ(stage_of(who.state), stage::identity_verified);
  EXPECT_THAT(answer_to(who.id, who.state, read_me{}, all.keys)->reasons,
              ElementsAre("listed_civil_service"));

  list.set_version(2);
  list.set_listed(false);
  auto told = all.deliver(listing);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->first, who.id);
  must(all.hear(who, told->second));
  EXPECT_EQ(who.state.lists(), 0u);
}

TEST(Lists, OfANikThatIsNotOursAreNotOurs) {
  world all;
  auto who = all.verified();
  registry::wire::Answer answer;
  answer.mutable_lists_changed()->set_lists(1);
  must(all.hear(who, answer));
  EXPECT_EQ(who.state.lists(), 0u);
}

// --- profile ---

TEST(SetProfile, IsCompleteWhenThePhoneIsOurs) {
  world all;
  auto who = all.identified();
  must(all.profile(who, human{}));
  EXPECT_EQ(stage_of(who.state), stage::identity_verified);
  EXPECT_FALSE(phone_answer(who.state)) << "not answered yet";
  all.settle(who);
  EXPECT_EQ(stage_of(who.state), stage::profile_complete);
  EXPECT_TRUE(phone_answer(who.state).value());
  EXPECT_EQ(answer_to(who.id, who.state, read_me{}, all.keys)->phone, human{}.phone);
}

TEST(SetProfile, NeedsAnIdentityButNotItsAnswer) {
  world all;
  auto who = all.verified();
  EXPECT_EQ(code_of(all.profile(who, human{})), errc::stage_out_of_order);
  must(all.submit(who, {}));
  EXPECT_TRUE(all.profile(who, human{}));
  EXPECT_TRUE(all.assess(who));
  EXPECT_EQ(stage_of(who.state), stage::identity_submitted);
  all.settle(who);
  EXPECT_EQ(stage_of(who.state), stage::ready);
}

TEST(SetProfile, RefusesValuesThatAreNone) {
  world all;
  auto who = all.identified();
  set_profile command{.phone = human{}.phone,
                      .education = education::sma,
                      .employment = employment::worker,
                      .now = noon};
  auto wrong = command;
  wrong.education = static_cast<education>(0);
  EXPECT_EQ(all.profile(who, wrong).error().field, "/education");
  wrong = command;
  wrong.employment = static_cast<employment>(12);
  EXPECT_EQ(all.profile(who, wrong).error().field, "/employment");
  EXPECT_TRUE(all.profile(who, command));
}

TEST(SetProfile, APhoneOfSomebodyElseIsTold) {
  world all;
  auto first = all.ready({}, 1);
  auto person = nth_human(5);
  person.phone = human{}.phone;
  auto second = all.identified(person, 2);
  must(all.profile(second, person));
  all.settle(second);
  EXPECT_EQ(code_of(phone_answer(second.state).value()), errc::phone_taken);
  EXPECT_EQ(stage_of(second.state), stage::identity_verified);
  EXPECT_EQ(next_step_of(second.state), next_step::set_profile);

  person.phone = "+6281111111111";
  must(all.profile(second, person));
  all.settle(second);
  EXPECT_TRUE(phone_answer(second.state).value());
  EXPECT_EQ(stage_of(second.state), stage::profile_complete);
}

TEST(SetProfile, AnotherPhoneIsClaimedBeforeTheOldOneIsGivenBack) {
  world all;
  auto who = all.ready();
  human changed;
  changed.phone = "+6281111111111";
  must(all.profile(who, changed));
  EXPECT_EQ(stage_of(who.state), stage::ready) << "the old one is still ours";
  all.settle(who);
  EXPECT_EQ(stage_of(who.state), stage::ready);
  EXPECT_EQ(answer_to(who.id, who.state, read_me{}, all.keys)->phone, changed.phone);

  auto other = all.identified(nth_human(5), 2);
  must(all.profile(other, human{}));
  all.settle(other);
  EXPECT_TRUE(phone_answer(other.state).value()) << "the old one is free";
}

TEST(SetProfile, ChangingOnesMindGivesTheFirstWishBack) {
  world all;
  auto who = all.identified();
  human first, second;
  second.phone = "+6281111111111";
  must(all.profile(who, first));
  must(all.profile(who, second));
  must(all.profile(who, first));
  must(all.profile(who, second));
  all.settle(who);
  EXPECT_EQ(answer_to(who.id, who.state, read_me{}, all.keys)->phone, second.phone);
  auto freed = registry::address_of(all.keys.phone_hash(first.phone));
  EXPECT_EQ(registry::owner_of(all.phones[freed.id], freed.rest), std::nullopt);
}

TEST(SetProfile, TheSameAgainChangesNothing) {
  world all;
  auto who = all.ready();
  auto events = who.history.size();
  must(all.profile(who, human{}));
  EXPECT_EQ(who.history.size(), events);
}

// --- assessment ---

TEST(TakeAssessment, MakesReadyWhateverTheScore) {
  world all;
  auto who = all.identified();
  must(all.profile(who, human{}));
  all.settle(who);
  auto taken = all.assess(who, {{"why", "a"}, {"sum", "b"}});
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->score, 0u);
  EXPECT_EQ(taken->version, 3u);
  EXPECT_EQ(taken->stage, stage::ready);
  EXPECT_EQ(stage_of(who.state), stage::ready);
}

TEST(TakeAssessment, WaitsForThePhone) {
  world all;
  auto who = all.identified();
  must(all.profile(who, human{}));
  EXPECT_EQ(all.assess(who)->stage, stage::assessment_taken);
  EXPECT_EQ(next_step_of(who.state), next_step::wait_for_phone);
  all.settle(who);
  EXPECT_EQ(stage_of(who.state), stage::ready);
}

TEST(TakeAssessment, NeedsAProfile) {
  world all;
  auto who = all.identified();
  EXPECT_EQ(code_of(all.assess(who)), errc::stage_out_of_order);
}

TEST(TakeAssessment, IsTakenOnceAVersion) {
  world all;
  auto who = all.ready();
  auto events = who.history.size();
  EXPECT_EQ(all.assess(who, {{"why", "a"}, {"sum", "b"}})->score, 100u);
  EXPECT_EQ(who.history.size(), events);
  all.questions.version = 4;
  EXPECT_EQ(all.assess(who, {{"why", "a"}, {"sum", "b"}})->score, 0u);
}

TEST(TakeAssessment, ARepeatIsToldFromAnotherRequest) {
  world all;
  auto who = all.identified();
  must(all.profile(who, human{}));
  all.settle(who);
  std::vector<answer> answers = {{"why", "b"}, {"sum", "a"}};
  must(all.assess(who, answers, request_key{1, 1}));
  EXPECT_EQ(all.assess(who, answers, request_key{1, 1})->score, 100u);
  EXPECT_EQ(code_of(all.assess(who, answers, request_key{1, 2})), errc::idempotency_conflict);
}

// --- me ---

TEST(ReadMe, ShowsWhatIsOnesOwnAndMasksTheNik) {
  world all;
  auto who = all.ready();
  auto shown = answer_to(who.id, who.state, read_me{}, all.keys);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->stage, stage::ready);
  EXPECT_EQ(shown->next, next_step::join_a_wave);
  EXPECT_EQ(shown->email, "siti@example.id");
  EXPECT_EQ(shown->full_name, "Siti Aminah");
  EXPECT_EQ(shown->masked_nik.find("170890"), std::string::npos);
  EXPECT_EQ(shown->region, region_code{3201});
  EXPECT_EQ(shown->birth_date, human{}.birth);
  EXPECT_EQ(shown->education, education::smk);
  EXPECT_EQ(shown->assessment->score, 100u);
}

TEST(ReadMe, ASealMovedToAnotherAccountDoesNotOpen) {
  world all;
  auto who = all.ready();
  EXPECT_EQ(code_of(answer_to({2}, who.state, read_me{}, all.keys)), errc::internal);
}

TEST(State, AReadyApplicantIsSmall) {
  world all;
  auto who = all.ready();
  who.state.clear_sessions();
  auto state = who.state;
  state.set_password(std::string(49, 'x'));
  // The row of 86 million: sealed e-mail, identity and phone, a verifier of 49 bytes, and the rest.
  auto sealed = state.sealed_email().size() + state.identity().sealed().size() +
                state.phone().sealed().size();
  EXPECT_LE(bytes_of(state).size() - sealed, 150u);
  EXPECT_LE(bytes_of(state).size(), 270u);
}

}  // namespace
}  // namespace gelombang::applicant

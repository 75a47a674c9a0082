#include "tests/actors/rooms.hpp"

namespace gelombang::rooms_test {
namespace {

constexpr provider_id twelve{12};

provider::enter entry(instant now, std::string name = "Balai Latihan Kerja") {
  return {.number = twelve, .name = std::move(name), .website = "https://contoh.id", .now = now};
}

template <class Command>
result<provider::facts> tell(machine& in, Command command, provider_id number = twelve) {
  return in.ask<provider::facts>(runtime::ref_of(number), std::move(command));
}

std::string card_of(machine& in, provider_id number = twelve) {
  const auto shown = tell(in, provider::show{}, number);
  return shown ? shown->card.SerializeAsString() : std::string{};
}

runtime::lsn journalled(const machine& in, provider_id number = twelve) {
  const auto shard = runtime::shard_of(runtime::ref_of(number).id, machine::shards);
  return in.running->at(shard).last();
}

TEST(ProviderActor, AnUnknownNumberIsToldSo) {
  world around;
  machine one{around};
  EXPECT_EQ(code_of(tell(one, provider::show{})), errc::provider_unknown);
  EXPECT_EQ(code_of(tell(one, provider::suspend{"izin dicabut", noon})), errc::provider_unknown);
  EXPECT_EQ(code_of(tell(one, provider::reinstate{noon})), errc::provider_unknown);
}

TEST(ProviderActor, IsRegisteredSuspendedAndReinstated) {
  world around;
  machine one{around};
  const auto made = tell(one, entry(noon));
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->is_new);
  EXPECT_EQ(made->card.name(), "Balai Latihan Kerja");

  const auto stopped = tell(one, provider::suspend{"izin dicabut", noon + 1h});
  ASSERT_TRUE(stopped);
  EXPECT_FALSE(stopped->is_new);
  EXPECT_EQ(stopped->card.suspension().reason(), "izin dicabut");
  EXPECT_EQ(card_of(one), stopped->card.SerializeAsString());

  const auto back = tell(one, provider::reinstate{noon + 2h});
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->card.has_suspension());
  EXPECT_EQ(code_of(tell(one, provider::show{}, provider_id{13})), errc::provider_unknown);
}

TEST(ProviderActor, WhatChangesNothingIsNotJournalled) {
  world around;
  machine one{around};
  ASSERT_TRUE(tell(one, entry(noon)));
  const auto before = journalled(one);
  const auto again = tell(one, entry(noon + 1h));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(again->card.changed_at(), noon.time_since_epoch().count());
  ASSERT_TRUE(tell(one, provider::reinstate{noon + 1h}));
  EXPECT_EQ(code_of(tell(one, entry(noon, "x"))), errc::provider_name_invalid);
  EXPECT_EQ(journalled(one), before);
  ASSERT_TRUE(tell(one, entry(noon + 1h, "Balai Baru")));
  EXPECT_GT(journalled(one), before);
}

TEST(ProviderActor, ComesBackAfterACrashFromTheJournalAndFromItsRow) {
  world around;
  std::string before;
  {
    machine one{around};
    ASSERT_TRUE(tell(one, entry(noon)));
    ASSERT_TRUE(tell(one, entry(noon, "Lembaga Lain"), provider_id{13}));
    ASSERT_TRUE(tell(one, provider::suspend{"izin dicabut", noon + 1h}));
    before = card_of(one);
  }
  {
    machine one{around};  // all of it replayed
    EXPECT_EQ(card_of(one), before);
    ASSERT_TRUE(one.running->checkpoint());
    ASSERT_TRUE(tell(one, entry(noon + 2h, "Balai Baru")));
    before = card_of(one);
  }
  machine one{around};  // the last event replayed on the checkpoint's row
  EXPECT_EQ(card_of(one), before);
  const auto shown = tell(one, provider::show{});
  EXPECT_EQ(shown->card.name(), "Balai Baru");
  EXPECT_EQ(shown->card.suspension().reason(), "izin dicabut");
  EXPECT_EQ(tell(one, provider::show{}, provider_id{13})->card.name(), "Lembaga Lain");
}

TEST(ProviderActor, ALateRepeatGetsItsAnswerAndUndoesNothingAlsoAfterACrash) {
  world around;
  const provider::suspend order{"izin dicabut", noon + 1h, request_key{1, 10}};
  std::string first;
  {
    machine one{around};
    ASSERT_TRUE(tell(one, entry(noon)));
    first = tell(one, order)->card.SerializeAsString();
    ASSERT_TRUE(tell(one, provider::reinstate{noon + 2h, request_key{2, 20}}));
  }
  machine one{around};
  const auto before = journalled(one);
  const auto again = tell(one, order);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->card.SerializeAsString(), first);
  EXPECT_FALSE(tell(one, provider::show{})->card.has_suspension());
  EXPECT_EQ(code_of(tell(one, provider::suspend{"lain", noon, request_key{1, 11}})),
            errc::idempotency_conflict);
  EXPECT_EQ(journalled(one), before);
}

TEST(ProviderActor, TheSameOrderTwiceAtOnceIsOneEffect) {
  world around;
  machine one{around};
  const auto ref = runtime::ref_of(twelve);
  const auto made = one.send<provider::facts>(ref, entry(noon));
  const auto twin = one.send<provider::facts>(ref, entry(noon));
  one.settle();
  ASSERT_TRUE(made->value && *made->value && twin->value && *twin->value);
  EXPECT_TRUE((*made->value)->is_new);
  EXPECT_FALSE((*twin->value)->is_new);
  EXPECT_EQ((*made->value)->card.SerializeAsString(), (*twin->value)->card.SerializeAsString());
}

TEST(ProviderActor, ARowThatDoesNotReadIsNotAnUnknownProvider) {
  world around;
  {
    machine one{around};
    ASSERT_TRUE(tell(one, entry(noon)));
    ASSERT_TRUE(one.running->checkpoint());
  }
  around.store_row(machine::row_key(runtime::ref_of(twelve)), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(tell(one, provider::show{})), errc::storage_unavailable);
  EXPECT_EQ(code_of(tell(one, entry(noon))), errc::storage_unavailable);
}

TEST(ProviderActor, WhatTheDiskDoesNotTakeHasNotHappened) {
  world around;
  machine one{around};
  ASSERT_TRUE(tell(one, entry(noon)));
  around.disk->fail_next_sync();
  EXPECT_EQ(code_of(tell(one, provider::suspend{"izin dicabut", noon})), errc::storage_unavailable);
  const auto shown = tell(one, provider::show{});
  ASSERT_TRUE(shown);
  EXPECT_FALSE(shown->card.has_suspension());
}

}  // namespace
}  // namespace gelombang::rooms_test

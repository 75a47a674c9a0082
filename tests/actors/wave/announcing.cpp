#include "tests/actors/wave/announcing.hpp"

#include <future>
#include <stdexcept>
#include <utility>

namespace gelombang::rooms_test {

wave::wire::Phase phase_of(const machine& in, wave_number number) {
  const auto shown = in.board.find(number);
  return shown ? shown->phase() : wave::wire::NONE;
}

wave_number planned_wave(machine& in) {
  auto made =
      in.ask<wave_number>(runtime::calendar_ref, wave::create{in.plan(noon + 1h, 2h), noon});
  applicant::testing::must(made);
  return *made;
}

std::vector<applicant_id> ready_people(machine& in, std::uint64_t count) {
  std::vector<applicant_id> people;
  for (std::uint64_t i = 1; i <= count; ++i) people.push_back(in.ready(i));
  return people;
}

void join_all(machine& in, const std::vector<applicant_id>& people, wave_number number) {
  for (auto who : people) applicant::testing::must(in.join(who, number));
}

void announce(machine& in, wave_number number) {
  in.desk_in_use = true;
  for (int orders = 0; orders < 10; ++orders) {
    auto shown = in.order(number, wave::show{});
    applicant::testing::must(shown);
    switch (shown->wave->phase()) {
      case wave::wire::OPEN:
      case wave::wire::CLOSING:
        (void)in.order(number, wave::close{in.time.now()});
        break;
      case wave::wire::CLOSED:
        (void)in.order(number, in.commitment());
        break;
      case wave::wire::COMMITTED:
        (void)in.order(number, in.draw());
        break;
      case wave::wire::DRAWN:
      case wave::wire::ANNOUNCING:
        (void)in.order(number, wave::announce{in.time.now()});
        break;
      case wave::wire::ANNOUNCED:
        in.desk_in_use = false;
        return;
      default:
        throw std::runtime_error("a wave that can't be announced");
    }
    in.advance(6s);  // what was lost is sent again
  }
  throw std::runtime_error("the wave does not get to its announcement");
}

std::set<std::uint64_t> accepted_by_files(machine& in, wave_number number) {
  std::set<std::uint64_t> accepted;
  std::promise<result<void>> read;
  in.desk->read_settlement(*in.board.find(number),
                           [&](result<void> outcome) { read.set_value(std::move(outcome)); });
  applicant::testing::must(read.get_future().get());
  for (const auto& shard : in.desk->settlement_of(number)->by_shard)
    for (const auto& one : shard) accepted.insert(one.applicant);
  return accepted;
}

}  // namespace gelombang::rooms_test

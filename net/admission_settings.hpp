#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gelombang::net {

/// When a thread has more to do than it can. Times are targets for what *stands*: the shortest wait
/// within an interval, which a burst that passes does not raise (Nichols and Jacobson, "Controlling
/// Queue Delay", 2012).
struct admission_settings {
  bool is_on = true;
  /// From a request's arrival in the kernel until it is read. Above it, requests are refused.
  std::chrono::milliseconds wait_target{4};
  /// The same, where new connections are left to the kernel: its queue is kept as short as this.
  std::chrono::milliseconds queue_target{16};
  /// From reading a click to its answer. Above it, fewer may be under way at a time.
  std::chrono::milliseconds answer_target{50};
  /// How often all this is looked at.
  std::chrono::milliseconds interval{50};

  /// A refusal costs a third of a click on a connection that is kept, and two thirds on a new one.
  /// For so many that are served one is answered with a refusal; that is the part of the machine
  /// which refusals may have.
  std::uint32_t served_per_refusal = 8;
  /// What refusals may be saved up, to empty the queues of an opening's first second at once.
  std::uint32_t refusals_saved_max = 5'000;
  /// And so many in any case, where nothing at all is served.
  std::uint32_t refusals_per_second_min = 20;

  int backlog_min = 16;
  int backlog_max = 4'096;
  std::size_t places_min = 32;
  std::size_t places_max = 8'192;

  /// Under pressure, what one account is served in a second, …
  std::uint32_t account_requests_max = 4;
  /// … and one address, in thousandths of all that is served, before it is refused like browsing:
  /// others come first, but what they leave is its own, for an address may be a town.
  std::uint32_t address_share_permille = 50;
};

}  // namespace gelombang::net

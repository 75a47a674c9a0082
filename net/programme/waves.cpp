#include "actors/interfaces.hpp"
#include "actors/programme/hex.hpp"
#include "actors/wave/draw/row.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/handlers.hpp"

namespace gelombang::net {
namespace {

using applicant::applicant_actor;

/// As old as the count of joins may be.
constexpr std::string_view kept_for_a_second = "public, max-age=1";
/// What is drawn stays; what is committed is drawn one day.
constexpr std::string_view kept_for_a_minute = "public, max-age=60";
constexpr int waves_a_page_max = 100;
constexpr int waves_a_page = 20;
constexpr std::uint32_t rows_a_chunk = 512;
/// Less than a millisecond's work.
constexpr std::uint32_t lines_counted_at_once = 1u << 16;

void answer_wave(services& s, exchange& x, const result<wave::wave_ptr>& wave) {
  if (!wave) return x.refuse(wave.error());
  std::string text;
  text.reserve(512);
  json_writer json{text};
  write_wave(json, facts_of(s, **wave, x.now()), x.speech());
  reply_tagged(x, text, kept_for_a_second);
}

struct page_request {
  wave_number before;
  std::size_t limit;
};

tl::expected<page_request, problem> page_in(const exchange& x) {
  const auto query = x.query();
  if (!query) return tl::unexpected(problem{query.error()});
  const auto limit = query->number("limit", 1, waves_a_page_max, waves_a_page);
  if (!limit) return tl::unexpected(problem{limit.error()});
  page_request page{.before = {UINT32_MAX}, .limit = static_cast<std::size_t>(*limit)};
  if (auto cursor = query->find("cursor")) {
    auto number = parse_wave_number(*cursor);
    if (!number)
      return tl::unexpected(
          problem{field_error{.pointer = "?cursor", .fault = field_fault::not_cursor}});
    page.before = *number;
  }
  return page;
}

// ---- the entries of a draw

constexpr std::string_view entries_type = "text/csv; charset=utf-8";

task<> stream_entries(services& s, exchange& x, const draw::draw_files& files) {
  x.offer_parts();
  x.stream(200, entries_type);
  if (x.method() == http::verb::head) co_return x.finish();
  if (!co_await x.write(draw::entries_header)) co_return;
  const auto entries = static_cast<std::uint32_t>(files.roster().size());
  for (std::uint32_t first = 0; first < entries; first += rows_a_chunk) {
    const auto rows = files.rows(first, rows_a_chunk);
    // Broken off, so that nobody takes it for the whole.
    if (!s.desk.confirm(files.published().wave, files)) co_return;
    if (!co_await x.write(rows)) co_return;
  }
  x.finish();
}

using counted_text = result<std::shared_ptr<const entries_text>>;

/// Others are answered between its pieces.
task<std::shared_ptr<const entries_text>> count(exchange& x,
                                                std::shared_ptr<const draw::draw_files> files) {
  auto made = std::make_shared<entries_text>(std::move(files));
  while (made->count_more(lines_counted_at_once))
    co_await wait_on(x.thread().context(), std::chrono::milliseconds{0});
  co_return std::shared_ptr<const entries_text>{std::move(made)};
}

/// Counted once, however many ask: after a restart all whose download was broken off come at once.
/// @returns (awaited) the fault of files that were not left alone
task<counted_text> counted(services& s, exchange& x,
                           const std::shared_ptr<const draw::draw_files>& files) {
  constexpr std::chrono::milliseconds while_another_counts{5};
  const auto number = files->published().wave;
  while (true) {
    const auto known = s.entries.look_up(*files);
    if (known.counted) co_return counted_text{known.counted};
    // Of damaged files nothing is kept: nobody counts them because another could not.
    if (auto left_alone = s.desk.confirm(number, *files); !left_alone)
      co_return counted_text{tl::unexpected(left_alone.error())};
    if (!known.turn) {
      co_await wait_on(x.thread().context(), while_another_counts);
      continue;
    }
    auto text = co_await count(x, files);
    if (auto left_alone = s.desk.confirm(number, *files); !left_alone)
      co_return counted_text{tl::unexpected(left_alone.error())};
    s.entries.keep(text);
    co_return counted_text{std::move(text)};
  }
}

task<> stream_part(services& s, exchange& x, const entries_text& text, byte_range part) {
  const auto& files = *text.of();
  x.offer_parts();
  x.stream_part(entries_type, part, text.bytes());
  while (part.size() > 0) {
    const auto piece = text.beginning_of(part);
    // Broken off, as above.
    if (piece.empty() || !s.desk.confirm(files.published().wave, files)) co_return;
    if (!co_await x.write(piece)) co_return;
    part.first += piece.size();
  }
  x.finish();
}

}  // namespace

task<> list_waves(services& s, exchange& x) {
  const auto page = page_in(x);
  if (!page) co_return x.refuse(page.error());
  const auto all = s.waves.all();
  auto at = std::make_reverse_iterator(all.lower_bound(page->before));
  auto json = x.json();
  json.begin_object().key("items").begin_array();
  wave_number last;
  for (std::size_t left = page->limit; left > 0 && at != all.rend(); --left, ++at) {
    write_wave(json, facts_of(s, *at->second, x.now()), x.speech());
    last = at->first;
  }
  json.end_array().key("next_cursor");
  if (at != all.rend())
    json.value(std::to_string(last.value));
  else
    json.null();
  json.end_object();
  x.cache_control(kept_for_a_second);
  x.add_header("Vary", "Accept-Language");
  x.reply(200);
}

task<> read_current_wave(services& s, exchange& x) {
  auto wave = s.waves.current(x.now());
  if (!wave) co_return x.refuse(errc::wave_unknown);
  answer_wave(s, x, wave);
}

task<> read_wave(services& s, exchange& x) {
  answer_wave(s, x, wave_in(s, x));
  co_return;
}

task<> join_wave(services& s, exchange& x) {
  const auto wave = wave_number_in(s, x);
  if (!wave) co_return x.refuse(wave.error());
  const auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  applicant::join command{*wave, *request, x.now()};
  auto receipt =
      co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(x.bearer().subject), command);
  if (!receipt) co_return x.refuse(receipt.error());
  auto json = x.json();
  write_receipt(json, *receipt);
  x.reply(receipt->fresh == applicant::freshness::created ? 201 : 200);
}

task<> withdraw_from_wave(services& s, exchange& x) {
  const auto wave = wave_number_in(s, x);
  if (!wave) co_return x.refuse(wave.error());
  const auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  applicant::withdraw command{*wave, *request, x.now()};
  auto done =
      co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(x.bearer().subject), command);
  if (!done) co_return x.refuse(done.error());
  x.no_content();
}

task<> read_draw(services& s, exchange& x) {
  const auto wave = wave_in(s, x);
  if (!wave) co_return x.refuse(wave.error());
  auto files = s.desk.files_of({(*wave)->number()}, draw::stage::drawn);
  if (!files) co_return x.refuse(files.error());
  const auto page = s.draws.page_of(**wave, std::move(*files));
  x.cache_control(kept_for_a_minute);
  if (!x.not_modified(page->etag)) x.reply_in_parts(page->etag, "application/json", page->json);
}

task<> read_draw_entries(services& s, exchange& x) {
  const auto wave = wave_in(s, x);
  if (!wave) co_return x.refuse(wave.error());
  auto found = s.desk.entries_of({(*wave)->number()});
  if (!found) co_return x.refuse(found.error());
  const auto page = s.draws.page_of(**wave, *found);
  x.cache_control(kept_for_a_minute);
  if (x.not_modified(page->entries_etag)) co_return;
  if (!x.wants_part(page->entries_etag)) co_return co_await stream_entries(s, x, **found);
  const auto text = co_await counted(s, x, *found);
  if (!text) co_return x.refuse(text.error());
  const auto part = x.part_wanted(page->entries_etag, (*text)->bytes());
  if (!part) co_return x.refuse_part((*text)->bytes());
  co_await stream_part(s, x, **text, *part);
}

}  // namespace gelombang::net

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
  const auto page = s.draws.page_of(std::move(*files));
  x.cache_control(kept_for_a_minute);
  if (!x.not_modified(page->etag)) x.reply(200, page->json);
}

task<> read_draw_entries(services& s, exchange& x) {
  const auto wave = wave_in(s, x);
  if (!wave) co_return x.refuse(wave.error());
  auto found = s.desk.entries_of({(*wave)->number()});
  if (!found) co_return x.refuse(found.error());
  const auto files = *found;
  x.cache_control(kept_for_a_minute);
  if (x.not_modified(s.draws.page_of(files)->etag)) co_return;
  x.stream(200, "text/csv; charset=utf-8");
  if (x.method() == http::verb::head) co_return x.finish();
  if (!co_await x.write(draw::entries_header)) co_return;
  const auto entries = static_cast<std::uint32_t>(files->roster().size());
  for (std::uint32_t first = 0; first < entries; first += rows_a_chunk) {
    const auto rows = files->rows(first, rows_a_chunk);
    // Broken off, so that nobody takes it for the whole.
    if (!s.desk.confirm(files->published().wave, *files)) co_return;
    if (!co_await x.write(rows)) co_return;
  }
  x.finish();
}

}  // namespace gelombang::net

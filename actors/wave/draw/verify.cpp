#include "actors/wave/draw/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/programme/line.hpp"
#include "actors/programme/time.hpp"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/draw/files.hpp"
#include "actors/wave/draw/merkle.hpp"
#include "actors/wave/draw/parallel.hpp"
#include "actors/wave/draw/walk.hpp"
#include "actors/wave/draw/weights.hpp"

namespace gelombang::draw {
namespace {

using disagreement = std::optional<std::string>;

/// The entries file's line of an entry: lines count from 1, and the first is the header.
std::size_t line_of(std::size_t index) {
  return index + 2;
}

std::string differs(std::string_view what, std::string_view published, std::string_view computed) {
  return fmt::format("{} is {}, computed {}", what, published, computed);
}

std::string differs(std::string_view what, std::uint64_t published, std::uint64_t computed) {
  return differs(what, fmt::to_string(published), fmt::to_string(computed));
}

std::string text_of_cutoff(const std::optional<digest>& cutoff) {
  return cutoff ? to_hex(*cutoff) : "null";
}

std::string text_of_verdict(verdict own) {
  if (own.outcome() != outcome::reserve) return std::string(name_of(own.outcome()));
  return fmt::format("reserve {}", own.order());
}

std::string entry_line(std::size_t index, const roster_entry& entry, std::string_view column) {
  return fmt::format("entries line {}, entry {}: {}", line_of(index), to_string(entry.id), column);
}

disagreement order_disagreement(std::span<const roster_entry> roster) {
  for (std::size_t i = 1; i < roster.size(); ++i) {
    if (roster[i - 1].id < roster[i].id) continue;
    return entry_line(i, roster[i], "entry_id is not above the one before it");
  }
  return std::nullopt;
}

disagreement region_disagreement(const region_summary& published, const region_summary& computed) {
  struct figure {
    std::string_view name;
    std::uint32_t published, computed;
  };
  for (auto [name, said, is] : {figure{"applicants", published.applicants, computed.applicants},
                                {"usable", published.usable, computed.usable},
                                {"seats", published.seats, computed.seats}}) {
    if (said != is) return differs(fmt::format("region {}: {}", published.region, name), said, is);
  }
  return std::nullopt;
}

/// A line of text, and where the next one starts.
std::string_view take_line(std::string_view& rest) {
  auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

struct entries_table {
  std::vector<roster_entry> roster;
  std::vector<drawn_columns> drawn;  ///< empty before the draw
};

/// A part of the entries file that starts and ends with a line.
struct part {
  std::string_view text;
  std::size_t first_index = 0;
  std::size_t lines = 0;
  disagreement fault = {};
};

std::vector<part> split_lines(std::string_view text, unsigned threads) {
  const std::size_t slices = std::max(1u, threads);
  const auto bytes_each = text.size() / slices + 1;
  std::vector<part> parts;
  while (!text.empty()) {
    auto end = text.size() <= bytes_each ? std::string_view::npos : text.find('\n', bytes_each);
    auto taken = end == std::string_view::npos ? text.size() : end + 1;
    parts.push_back({text.substr(0, taken)});
    text.remove_prefix(taken);
  }
  parallel_for(threads, parts.size(), [&](std::size_t i) {
    auto whole = parts[i].text;
    auto ends = std::count(whole.begin(), whole.end(), '\n');
    parts[i].lines = static_cast<std::size_t>(ends) + (whole.back() == '\n' ? 0 : 1);
  });
  std::size_t index = 0;
  for (auto& one : parts) {
    one.first_index = index;
    index += one.lines;
  }
  return parts;
}

disagreement read_part(const part& from, bool drawn, entries_table& table) {
  auto rest = from.text;
  for (auto index = from.first_index; !rest.empty(); ++index) {
    auto row = read_row(take_line(rest));
    if (!row) return fmt::format("entries line {}: {} does not read", line_of(index), row.error());
    if (row->drawn.has_value() != drawn) {
      return entry_line(index, row->entry,
                        drawn ? "ticket and outcome are missing, but the summary is drawn"
                              : "ticket and outcome stand there, but the summary is not drawn");
    }
    table.roster[index] = row->entry;
    if (drawn) table.drawn[index] = *row->drawn;
  }
  return std::nullopt;
}

tl::expected<entries_table, std::string> read_entries(std::string_view csv, bool drawn,
                                                      unsigned threads) {
  auto header = take_line(csv);
  if (header != entries_header.substr(0, entries_header.size() - 1)) {
    return tl::unexpected<std::string>("entries line 1: is not the header");
  }
  auto parts = split_lines(csv, threads);
  auto count = parts.empty() ? 0 : parts.back().first_index + parts.back().lines;
  if (count > entries_max) return tl::unexpected<std::string>("entries: too many lines");
  entries_table table{std::vector<roster_entry>(count),
                      std::vector<drawn_columns>(drawn ? count : 0)};
  parallel_for(threads, parts.size(),
               [&](std::size_t i) { parts[i].fault = read_part(parts[i], drawn, table); });
  for (auto& one : parts) {
    if (one.fault) return tl::unexpected(std::move(*one.fault));
  }
  return table;
}

disagreement secret_disagreement(const summary& published) {
  const auto& drawn = *published.drawn;
  auto hash = sha256(drawn.operator_secret);
  if (hash != published.operator_secret_hash) {
    return differs("operator_secret_hash", to_hex(published.operator_secret_hash), to_hex(hash));
  }
  auto seed = seed_of(published.roster_root, drawn.beacon_value, drawn.operator_secret);
  if (seed != drawn.seed) return differs("seed", to_hex(drawn.seed), to_hex(seed));
  return std::nullopt;
}

disagreement ticket_disagreement(const digest& seed, const entries_table& table, unsigned threads) {
  ticket_machine tickets{seed};
  constexpr std::size_t rows_at_once = 1u << 14;
  auto batches = (table.roster.size() + rows_at_once - 1) / rows_at_once;
  std::vector<disagreement> found(batches);
  parallel_for(threads, batches, [&](std::size_t batch) {
    auto end = std::min(table.roster.size(), (batch + 1) * rows_at_once);
    for (auto i = batch * rows_at_once; i < end; ++i) {
      auto ticket = tickets(table.roster[i].id);
      if (ticket == table.drawn[i].ticket) continue;
      found[batch] = differs(entry_line(i, table.roster[i], "ticket"),
                             to_hex(table.drawn[i].ticket), to_hex(ticket));
      return;
    }
  });
  auto first = std::find_if(found.begin(), found.end(), [](const auto& one) { return !!one; });
  return first == found.end() ? std::nullopt : *first;
}

std::string count_disagreement(std::size_t published, std::size_t found) {
  return fmt::format("{}: {}", differs("entries", published, found),
                     found < published
                         ? "the entries file was cut off, or belongs to another summary: download "
                           "it again with the summary"
                         : "the entries file belongs to another summary, or was added to: "
                           "download it again with the summary");
}

std::vector<verdict> verdicts_of(const entries_table& table) {
  std::vector<verdict> verdicts;
  verdicts.reserve(table.drawn.size());
  for (const auto& one : table.drawn) verdicts.push_back(one.own);
  return verdicts;
}

disagreement table_disagreement(const summary& published, const entries_table& table,
                                unsigned threads) {
  if (auto found = disagreement_before_draw(published, table.roster, threads)) return found;
  if (!published.drawn) return std::nullopt;
  if (auto found = secret_disagreement(published)) return found;
  if (auto found = ticket_disagreement(published.drawn->seed, table, threads)) return found;
  return disagreement_of_draw(published, table.roster, verdicts_of(table), threads);
}

std::optional<entry_report> report_on(const entry_id& id, const summary& published,
                                      const entries_table& table, unsigned threads) {
  auto before = [](const roster_entry& entry, const entry_id& wanted) { return entry.id < wanted; };
  auto found = std::lower_bound(table.roster.begin(), table.roster.end(), id, before);
  if (found == table.roster.end() || found->id != id) return std::nullopt;
  entry_report report;
  report.index = static_cast<std::uint32_t>(found - table.roster.begin());
  report.entry = *found;
  if (published.drawn) report.drawn = table.drawn[report.index];
  for (const auto& region : published.regions) {
    if (region.region == found->region) report.cutoff = region.cutoff;
  }
  report.proof = tree::prove(tree::build(table.roster, threads), table.roster, report.index);
  return report;
}

std::string explain(const entry_report& report) {
  if (!report.drawn) return "not drawn yet";
  auto own = report.drawn->own;
  switch (own.outcome()) {
    case outcome::accepted:
      return "accepted";
    case outcome::family_full:
      return "not accepted: the family's places are taken";
    case outcome::reserve:
      return fmt::format("not accepted: number {} of the region's reserve", own.order());
  }
  return {};
}

std::string describe(const cancellation& cancelled) {
  return fmt::format(
      "committed, and the summary says that it was CANCELLED {}; everything known so far agrees\n"
      "  reason: {}\n",
      cancelled.at ? "on " + format_time(*cancelled.at) : "at a time that is not on record",
      cancelled.reason.empty() ? "none on record" : printable(cancelled.reason));
}

std::string describe(const entry_report& report, const summary& published) {
  auto leads = root_by_proof(leaf_of(report.entry), report.index, published.entries,
                             report.proof) == published.roster_root;
  auto text = fmt::format("entry {}: region {}, leaf {} of {}, {}\n", to_string(report.entry.id),
                          report.entry.region, report.index, published.entries,
                          leads ? "its Merkle proof leads to the root" : "its proof fails");
  if (report.drawn) {
    text += fmt::format("  ticket {}\n  cutoff {}\n", to_hex(report.drawn->ticket),
                        text_of_cutoff(report.cutoff));
  }
  return text + fmt::format("  {}\n", explain(report));
}

}  // namespace

std::optional<std::string> disagreement_before_draw(const summary& published,
                                                    std::span<const roster_entry> roster,
                                                    unsigned threads) {
  auto given = parameters_of(published);
  if (auto valid = check(given); !valid) return "summary: " + valid.error().detail;
  if (published.entries != roster.size())
    return differs("entries", published.entries, roster.size());
  if (auto found = order_disagreement(roster)) return found;
  auto root = tree::root(tree::build(roster, threads));
  if (root != published.roster_root) {
    return differs("roster_root", to_hex(published.roster_root), to_hex(root));
  }
  auto counted = take_census(roster, threads);
  if (!counted) return "entries: " + counted.error().detail;
  if (!counted->lowered.empty()) {
    auto [index, room] = counted->lowered.front();
    return differs(entry_line(index, roster[index], "family_room"), roster[index].family_room,
                   room);
  }
  auto computed = summarise(given, published.entries, root, *counted);
  if (!computed) return "regions: " + computed.error().detail;
  for (std::size_t i = 0; i < published.regions.size(); ++i) {
    if (auto found = region_disagreement(published.regions[i], computed->regions[i])) return found;
  }
  return std::nullopt;
}

std::optional<std::string> disagreement_of_draw(const summary& published,
                                                std::span<const roster_entry> roster,
                                                std::span<const verdict> verdicts,
                                                unsigned threads) {
  if (auto found = secret_disagreement(published)) return found;
  auto walked = walk(roster, seats_of(published), published.groups,
                     ticket_machine{published.drawn->seed}, threads);
  for (std::size_t i = 0; i < roster.size(); ++i) {
    if (verdicts[i] == walked.verdicts[i]) continue;
    return differs(entry_line(i, roster[i], "outcome"), text_of_verdict(verdicts[i]),
                   text_of_verdict(walked.verdicts[i]));
  }
  for (std::size_t i = 0; i < published.regions.size(); ++i) {
    const auto& said = published.regions[i];
    const auto& is = walked.regions[i];
    if (said.accepted != is.accepted) {
      return differs(fmt::format("region {}: accepted", said.region), said.accepted, is.accepted);
    }
    if (said.cutoff != is.cutoff) {
      return differs(fmt::format("region {}: cutoff", said.region), text_of_cutoff(said.cutoff),
                     text_of_cutoff(is.cutoff));
    }
  }
  return std::nullopt;
}

tl::expected<verification, verify_failure> verify(const std::filesystem::path& summary_file,
                                                  const std::filesystem::path& entries_file,
                                                  const std::optional<entry_id>& entry,
                                                  unsigned threads) {
  auto unreadable = [](const refusal& why) {
    return tl::unexpected(verify_failure{verify_failure::kind::unreadable, why.detail});
  };
  auto disagrees = [](std::string what) {
    return tl::unexpected(verify_failure{verify_failure::kind::disagrees, std::move(what)});
  };
  auto json = mapped_file::open(summary_file);
  if (!json) return unreadable(json.error());
  auto csv = mapped_file::open(entries_file);
  if (!csv) return unreadable(csv.error());
  auto published = read_summary(json->bytes());
  if (!published) return disagrees("summary: " + published.error());
  auto table = read_entries(csv->bytes(), published->drawn.has_value(), threads);
  for (const auto* path : {&summary_file, &entries_file})
    if (!(path == &summary_file ? *json : *csv).is_whole())
      return tl::unexpected(
          verify_failure{verify_failure::kind::unreadable,
                         fmt::format("{}: {}", path->string(), changed_meanwhile)});
  if (!table) return disagrees(std::move(table.error()));
  if (table->roster.size() != published->entries)
    return disagrees(count_disagreement(published->entries, table->roster.size()));
  if (auto found = table_disagreement(*published, *table, threads)) return disagrees(*found);
  verification confirmed{std::move(*published), std::nullopt};
  if (!entry) return confirmed;
  confirmed.entry = report_on(*entry, confirmed.published, *table, threads);
  if (!confirmed.entry) {
    return disagrees(fmt::format("entry {} is not in the roster", to_string(*entry)));
  }
  return confirmed;
}

std::string describe(const verification& confirmed) {
  const auto& published = confirmed.published;
  std::uint64_t accepted = 0;
  for (const auto& region : published.regions) accepted += region.accepted;
  auto text = fmt::format("wave {}: {} entries, root {}\n", published.wave, published.entries,
                          to_hex(published.roster_root));
  if (published.cancelled)
    text += describe(*published.cancelled);
  else
    text += published.drawn
                ? fmt::format("drawn, {} accepted; everything agrees\n", accepted)
                : std::string("committed, not drawn yet; everything known so far agrees\n");
  text += describe_weights(published, region_table::standard());
  if (confirmed.entry) text += describe(*confirmed.entry, published);
  return text;
}

}  // namespace gelombang::draw

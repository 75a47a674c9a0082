#include "actors/registry/lists.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <unordered_set>

namespace gelombang::registry {
namespace {

/// In the order of their numbers.
constexpr std::array<std::string_view, lists_count> names = {
    "civil_service",   "military", "police",     "village_officials", "state_companies",
    "state_officials", "students", "social_aid", "ministry_priority", "deceased"};

using failure = tl::unexpected<std::string>;
template <class T>
using line_result = tl::expected<T, std::string>;

struct heading {
  registry::list list;
  std::uint64_t version;
};

line_result<heading> heading_of(std::string_view list, std::uint64_t version) {
  auto known = list_named(list);
  if (!known) return failure(fmt::format("list \"{}\" is unknown", list.substr(0, 64)));
  if (version == 0) return failure("version must be 1 or more");
  return heading{*known, version};
}

line_result<std::uint64_t> version_in(std::string_view text) {
  std::uint64_t version = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return failure("version is not a whole number");
  }
  return version;
}

line_result<list_file::entry> entry_of(std::string_view number, bool listed) {
  auto person = nik::parse(number);
  if (!person) return failure(fmt::format("nik: {}", person.error().detail));
  return list_file::entry{*person, listed};
}

/// Takes the text up to `separator` off `from`; nothing when there is none left.
std::optional<std::string_view> next_of(std::optional<std::string_view>& from, char separator) {
  if (!from) return std::nullopt;
  auto end = from->find(separator);
  auto part = from->substr(0, end);
  from = end == std::string_view::npos ? std::nullopt : std::optional(from->substr(end + 1));
  return part;
}

class csv_reader {
public:
  line_result<heading> heading_line(std::string_view line) const {
    constexpr std::string_view begin = "# list=", between = " version=";
    auto split = line.find(between);
    if (line.substr(0, begin.size()) != begin || split == std::string_view::npos) {
      return failure("expected \"# list=NAME version=NUMBER\"");
    }
    auto version = version_in(line.substr(split + between.size()));
    if (!version) return failure(version.error());
    return heading_of(line.substr(begin.size(), split - begin.size()), *version);
  }

  /// The first line after the heading names the columns.
  line_result<std::optional<list_file::entry>> line(std::string_view text) {
    if (!nik_column_) {
      if (auto read = columns(text); !read) return failure(read.error());
      return std::optional<list_file::entry>{};
    }
    std::string_view number, listed = "yes";
    std::optional<std::string_view> rest = text;
    for (std::size_t column = 0; auto field = next_of(rest, ','); ++column) {
      if (column == *nik_column_) number = *field;
      if (column == listed_column_) listed = *field;
    }
    if (listed != "yes" && listed != "no") return failure("listed: neither \"yes\" nor \"no\"");
    auto entry = entry_of(number, listed == "yes");
    if (!entry) return failure(entry.error());
    return std::optional(*entry);
  }

private:
  line_result<void> columns(std::string_view text) {
    std::optional<std::string_view> rest = text;
    for (std::size_t column = 0; auto name = next_of(rest, ','); ++column) {
      if (*name == "nik") nik_column_ = column;
      if (*name == "listed") listed_column_ = column;
    }
    if (!nik_column_) return failure("there is no column \"nik\"");
    return {};
  }

  std::optional<std::size_t> nik_column_, listed_column_;
};

class ndjson_reader {
public:
  line_result<heading> heading_line(std::string_view line) const {
    auto object = object_in(line);
    if (!object) return failure(object.error());
    auto* list = object->if_contains("list");
    auto* version = object->if_contains("version");
    if (!list || !list->is_string() || !version || !version->is_int64() ||
        version->as_int64() < 0) {
      return failure("expected {\"list\":\"NAME\",\"version\":NUMBER}");
    }
    const auto& name = list->as_string();
    return heading_of({name.data(), name.size()}, static_cast<std::uint64_t>(version->as_int64()));
  }

  line_result<std::optional<list_file::entry>> line(std::string_view text) {
    auto object = object_in(text);
    if (!object) return failure(object.error());
    auto* number = object->if_contains("nik");
    if (!number || !number->is_string()) return failure("nik: not a string");
    auto* listed = object->if_contains("listed");
    if (listed && !listed->is_bool()) return failure("listed: neither true nor false");
    const auto& digits = number->as_string();
    auto entry = entry_of({digits.data(), digits.size()}, !listed || listed->as_bool());
    if (!entry) return failure(entry.error());
    return std::optional(*entry);
  }

private:
  static line_result<boost::json::object> object_in(std::string_view line) {
    boost::system::error_code error;
    auto value = boost::json::parse({line.data(), line.size()}, error);
    if (error || !value.is_object()) return failure("not a JSON object");
    return std::move(value.as_object());
  }
};

/// Goes through the lines, keeps what is right and notes what is wrong.
template <class Reader>
class list_reading {
public:
  void line(std::size_t number, std::string_view text) {
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.empty()) return;
    if (text.size() > list_line_bytes_max) {
      return note(number, fmt::format("longer than {} bytes", list_line_bytes_max));
    }
    if (!headed_) return take_heading(number, text);
    auto entry = reader_.line(text);
    if (!entry) return note(number, entry.error());
    if (!*entry) return;
    if (!seen_.insert(std::string((*entry)->person.digits())).second) {
      return note(number, "nik: a second time");
    }
    file_.entries.push_back(**entry);
  }

  void note(std::size_t number, std::string_view what) {
    errors_.push_back(fmt::format("line {}: {}", number, what));
  }

  /// Without a heading nothing that follows can be judged.
  bool goes_on() const {
    return errors_.size() < list_errors_max && (headed_ || errors_.empty()) &&
           file_.entries.size() <= list_entries_max;
  }

  tl::expected<list_file, std::vector<std::string>> end() && {
    if (file_.entries.size() > list_entries_max) {
      errors_.push_back(fmt::format("more than {} entries", list_entries_max));
    }
    if (!headed_ && errors_.empty()) errors_.emplace_back("line 1: the file is empty");
    if (!errors_.empty()) return tl::unexpected(std::move(errors_));
    return std::move(file_);
  }

private:
  void take_heading(std::size_t number, std::string_view text) {
    auto what = reader_.heading_line(text);
    if (!what) return note(number, what.error());
    headed_ = true;
    file_.list = what->list;
    file_.version = what->version;
  }

  Reader reader_;
  bool headed_ = false;
  list_file file_;
  std::unordered_set<std::string> seen_;
  std::vector<std::string> errors_;
};

template <class Reader>
tl::expected<list_file, std::vector<std::string>> read_with(std::string_view text) {
  list_reading<Reader> reading;
  std::optional<std::string_view> rest = text;
  for (std::size_t number = 1; reading.goes_on(); ++number) {
    auto line = next_of(rest, '\n');
    if (!line) break;
    reading.line(number, *line);
  }
  return std::move(reading).end();
}

}  // namespace

std::string_view name_of(list which) {
  auto number = static_cast<std::uint32_t>(which);
  return number < lists_count ? names[number] : std::string_view{};
}

std::optional<list> list_named(std::string_view name) {
  for (std::uint32_t number = 0; number < lists_count; ++number) {
    if (names[number] == name) return static_cast<list>(number);
  }
  return std::nullopt;
}

tl::expected<list_file, std::vector<std::string>> read_list(std::string_view text,
                                                            list_format format) {
  return format == list_format::csv ? read_with<csv_reader>(text) : read_with<ndjson_reader>(text);
}

}  // namespace gelombang::registry

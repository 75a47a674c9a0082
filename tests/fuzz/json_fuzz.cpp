// Bodies come from anywhere: what our strict reader takes, another reader takes too and sees alike.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/json_reader.hpp"
#include "net/json_writer.hpp"

namespace {

using namespace gelombang::net;

void compare(json_body& ours, const boost::json::object& theirs) {
  for (auto& [key, value] : theirs) {
    std::string_view name{key.data(), key.size()};
    auto faults_before = ours.faults().fields.size();
    auto text = ours.string(name, 0, 1 << 20);
    auto is_text = ours.faults().fields.size() == faults_before;
    if (is_text != value.is_string()) std::abort();
    if (is_text && text != std::string_view{value.as_string().data(), value.as_string().size()}) {
      std::abort();
    }
    ours.optional_integer(name, -100, 100);
    ours.optional_boolean(name);
    for (auto& item : ours.array(name, 0, 8).objects()) item.string("a", 1, 2);
    ours.object(name).integer_members(0, 9);
  }
  std::string problem_text;
  append_problem(problem_text, ours.faults(), language::english);
  if (!boost::json::parse(problem_text).is_object()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static json_reader reader{16};
  std::string padded{reinterpret_cast<const char*>(data), size};
  padded.append(json_padding_bytes, '}');
  auto text = std::string_view{padded}.substr(0, size);
  auto* ours = reader.read(text);
  if (ours == nullptr) return 0;
  boost::json::error_code failed;
  auto theirs = boost::json::parse({text.data(), text.size()}, failed);
  if (failed || !theirs.is_object()) std::abort();
  compare(*ours, theirs.get_object());
  return 0;
}

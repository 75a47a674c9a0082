#include "net/programme/field_faults.hpp"

#include "net/json_writer.hpp"
#include "net/problem.hpp"

namespace gelombang::net {

void answer_faults(exchange& x, std::string_view pointer, std::span<const std::string> faults) {
  const auto form = form_of(errc::field_invalid);
  std::string text;
  json_writer json{text};
  json.begin_object().member("type", "/problems/field_invalid");
  json.key("title").value(form.title.in(x.speech())).member("status", form.status);
  json.key("detail").value(form.detail.in(x.speech())).key("errors").begin_array();
  for (const auto& fault : faults)
    json.begin_object().key("pointer").value(pointer).member("message", fault).end_object();
  json.end_array().end_object();
  x.reply(form.status, "application/problem+json", text);
}

}  // namespace gelombang::net

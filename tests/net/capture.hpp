#pragma once

#include <cstdio>
#include <string>

namespace gelombang::testing {

/// A stream for what a command prints.
class capture {
public:
  capture() : file_(std::tmpfile()) {}
  capture(const capture&) = delete;
  capture& operator=(const capture&) = delete;
  ~capture() { std::fclose(file_); }

  std::FILE* file() const { return file_; }

  std::string text() const {
    std::fflush(file_);
    std::string text(static_cast<std::size_t>(std::ftell(file_)), '\0');
    std::rewind(file_);
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    return text;
  }

private:
  std::FILE* file_;
};

}  // namespace gelombang::testing

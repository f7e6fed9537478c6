// Reads PTX text word by word.
#pragma once

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "module.h"

namespace alexnet::simulator::ptx {

class Scanner {
 public:
  explicit Scanner(const std::string& text) : at_(text.data()), end_(text.data() + text.size()) { skip(); }

  bool atEnd() const { return at_ >= end_ || *at_ == '\0'; }
  char peek() const { return atEnd() ? '\0' : *at_; }

  bool take(char symbol) {
    if (peek() != symbol) return false;
    ++at_;
    skip();
    return true;
  }

  void expect(char symbol) {
    if (!take(symbol)) fail(std::string("'") + symbol + "'");
  }

  // A word of letters, digits, _, $, %, and the given others.
  std::string word(const char* others = "") {
    const char* start = at_;
    while (at_ < end_ && isWord(*at_, others)) ++at_;
    if (at_ == start) fail("a name");
    std::string result(start, at_);
    skip();
    return result;
  }

  // A directive with its dot: ".reg".
  std::string directive() {
    expectDot();
    return "." + word();
  }

  bool takeWord(const std::string& wanted) {
    if (static_cast<size_t>(end_ - at_) < wanted.size() || std::string(at_, wanted.size()) != wanted) return false;
    const char* after = at_ + wanted.size();
    if (after < end_ && isWord(*after, "")) return false;
    at_ = after;
    skip();
    return true;
  }

  std::string quoted() {
    expect('"');
    const char* start = at_;
    while (at_ < end_ && *at_ != '"') ++at_;
    std::string result(start, at_);
    ++at_;
    skip();
    return result;
  }

  int64_t integer() {
    const bool negative = take('-');
    const std::string digits = word();
    const auto value = static_cast<int64_t>(std::strtoull(digits.c_str(), nullptr, 0));
    return negative ? -value : value;
  }

  void skipTo(char symbol) {
    while (at_ < end_ && *at_ != symbol) ++at_;
  }

  [[noreturn]] void fail(const std::string& expected) const {
    const char* stop = at_;
    while (stop < end_ && *stop != '\n' && stop - at_ < 60) ++stop;
    throw SyntaxError("expected " + expected + " in PTX before: " + std::string(at_, stop));
  }

 private:
  static bool isWord(char c, const char* others) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%') return true;
    for (; *others; ++others) {
      if (*others == c) return true;
    }
    return false;
  }

  void expectDot() {
    if (peek() != '.') fail("a directive");
    ++at_;
  }

  // White space and comments.
  void skip() {
    while (at_ < end_) {
      if (std::isspace(static_cast<unsigned char>(*at_))) {
        ++at_;
      } else if (*at_ == '/' && at_ + 1 < end_ && at_[1] == '/') {
        skipTo('\n');
      } else if (*at_ == '/' && at_ + 1 < end_ && at_[1] == '*') {
        at_ += 2;
        while (at_ + 1 < end_ && !(*at_ == '*' && at_[1] == '/')) ++at_;
        at_ += 2;
      } else {
        return;
      }
    }
  }

  const char* at_;
  const char* end_;
};

}  // namespace alexnet::simulator::ptx

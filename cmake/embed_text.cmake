# cmake -DTEXT=FILE -DHEADER=FILE -DNAME=IDENTIFIER -P embed_text.cmake
# Writes a header with the text as `NAME`, an array of pieces: no compiler has to take a literal of
# more than 65,536 characters, which is all that the standard promises.
file(READ "${TEXT}" text)
string(LENGTH "${text}" left)
set(at 0)
set(pieces "")
while(left GREATER 0)
  string(SUBSTRING "${text}" ${at} 16000 piece)
  string(LENGTH "${piece}" taken)
  string(APPEND pieces "    R\"text(${piece})text\",\n")
  math(EXPR at "${at} + ${taken}")
  math(EXPR left "${left} - ${taken}")
endwhile()
file(WRITE "${HEADER}.new" "#pragma once

#include <string_view>

namespace gelombang::net {

inline constexpr std::string_view ${NAME}[] = {
${pieces}};

}  // namespace gelombang::net
")
file(COPY_FILE "${HEADER}.new" "${HEADER}" ONLY_IF_DIFFERENT)
file(REMOVE "${HEADER}.new")

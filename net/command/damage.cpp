#include "net/command/damage.hpp"

#include <fmt/format.h>

#include "storage/backup.hpp"

namespace gelombang::command {

namespace {

/// Without the slash that a shell puts behind a directory's name.
std::string name_of(const std::filesystem::path& directory) {
  return (directory.has_filename() ? directory : directory.parent_path()).string();
}

}  // namespace

std::string advice_on_damage(const std::filesystem::path& directory) {
  if (storage::has_backup_mark({directory}))
    return fmt::format(
        "\nwhat to do: restore nothing from {0}, and keep it: it is evidence. Take the newest "
        "other backup that holds:\n"
        "  gelombang audit verify --data-dir BACKUP\n"
        "and make a new one of the node, if its data holds",
        name_of(directory));
  return fmt::format(
      "\nwhat to do: start nothing on {0}, and keep it as it is, moved aside: what was answered "
      "after the last backup is only there. Restore the newest backup whose audit passes:\n"
      "  mv {0} {0}.damaged\n"
      "  gelombang audit verify --data-dir BACKUP\n"
      "  gelombang restore --from BACKUP --data-dir {0}\n"
      "Before that, where no more than an archive of the journal is named (*.gwa): a backup may "
      "have "
      "that very file from when it was whole. Put it into a copy of the damaged directory: if the "
      "audit of the copy passes, nothing is lost",
      name_of(directory));
}

std::string advice_on_damaged_draw(const std::filesystem::path& directory) {
  if (storage::has_backup_mark({directory}))
    return fmt::format(
        "\nwhat to do: all else of {0} holds, and the draw's files follow from it. Restore it, "
        "move "
        "that folder of the restored data's draws aside, and start: it is made again. Audit the "
        "node then:\n"
        "  gelombang restore --from {0} --data-dir NEW_DIRECTORY\n"
        "  gelombang audit verify --data-dir NEW_DIRECTORY",
        name_of(directory));
  return fmt::format(
      "\nwhat to do: move that folder of {} aside, and keep it: the next start makes it again from "
      "the journal. Audit again then; if a draw still does not hold, restore the newest backup "
      "whose audit passes:\n"
      "  gelombang audit verify --data-dir BACKUP\n"
      "  gelombang restore --from BACKUP --data-dir NEW_DIRECTORY",
      (directory / "draws").string());
}

}  // namespace gelombang::command

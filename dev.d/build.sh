# shellcheck shell=bash
# Brings npm packages, the user interface and the programs up to date; each does nothing when nothing changed.

checksum() {
  if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

# The stamp carries the lock file's checksum, so that a changed lock and a half-done install are both seen.
install_npm_packages() {
  local stamp=node_modules/.installed-from wanted
  wanted=$(checksum package-lock.json)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  long_step "npm packages" npm ci --no-audit --no-fund
  printf '%s\n' "$wanted" >"$stamp"
}

build_ui() {
  local built=ui/dist/index.html
  [ -f "$built" ] && [ -z "$(newer_than "$built" ui/src ui/index.html vite.config.ts ui/vite.config.ts package-lock.json)" ] && return
  long_step "user interface" npm run build
}

# newer_than FILE PATH…: the first of PATH, or of what is below them, that is newer than FILE. Folders count: a deletion changes theirs.
newer_than() {
  local file=$1 path present=()
  shift
  for path in "$@"; do
    [ ! -e "$path" ] || present+=("$path")
  done
  find "${present[@]}" -newer "$file" -print -quit
}

build_command_line() {
  long_step "outrigger (command line)" cargo build --package outrigger-cli
}

build_window() {
  long_step "Outrigger (window and command line)" cargo build --package outrigger-desktop --package outrigger-cli
}

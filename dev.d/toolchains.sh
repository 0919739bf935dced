# shellcheck shell=bash
# Rust, a JavaScript runtime and npm: finds them, says what to do where one is missing or too old, and fetches Node.js where
# Debian's own is too old. It never changes what is installed outside the project, except by Debian packages.

node_minimum=20.19
# The Node.js and npm that are fetched into .cache/ where the system's are missing or too old.
node_fetched=22.23.3
npm_fetched=10.9.4

# version_at_least HAVE WANT, on the first two numbers.
version_at_least() {
  local have_major have_minor want_major want_minor rest
  IFS=. read -r have_major have_minor rest <<<"$1.0"
  IFS=. read -r want_major want_minor rest <<<"$2.0"
  : "$rest"
  [ "$have_major" -gt "$want_major" ] || { [ "$have_major" -eq "$want_major" ] && [ "$have_minor" -ge "$want_minor" ]; }
}

need_rust() {
  local wanted found
  # rustup adds this folder to the PATH of login shells only.
  if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH=$HOME/.cargo/bin:$PATH; fi
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  command -v cargo >/dev/null ||
    die "Rust is not installed. Install Rust $wanted or newer with rustup (https://rustup.rs; on Debian 13 and newer: apt-get install rustup && rustup default stable), then run this again."
  found=$(cargo --version | sed 's/^cargo \([0-9.]*\).*/\1/')
  version_at_least "$found" "$wanted" ||
    die "cargo $found at $(command -v cargo) is too old, $wanted or newer is needed: rustup update stable (Debian's own cargo package is older than that)"
}

# need_rust_part COMMAND COMPONENT: rustfmt and clippy are not part of a minimal toolchain.
need_rust_part() {
  cargo "$1" --version >/dev/null 2>&1 && return
  command -v rustup >/dev/null || die "cargo $1 is missing: install the $2 that belongs to $(command -v cargo)"
  long_step "Rust component $2" rustup component add "$2"
}

# Node.js with npm, for the user interface and for tests.
need_node() {
  use_fetched_node
  has_node && command -v npm >/dev/null && return
  need_debian_packages nodejs npm
  hash -r
  if has_node && command -v npm >/dev/null; then return; fi
  command -v npm >/dev/null || die "Node.js $node_minimum or newer with npm is needed: https://nodejs.org/en/download"
  fetch_node
}

# Runners run on deno, node or bun: any one will do, so only a machine that has none gets one.
need_runtime() {
  use_fetched_node
  has_node || command -v deno >/dev/null || command -v bun >/dev/null || need_node
}

has_node() {
  command -v node >/dev/null && version_at_least "$(node --version | sed 's/^v//')" "$node_minimum"
}

use_fetched_node() {
  has_node || [ ! -x .cache/node/node_modules/.bin/node ] || PATH=$root/.cache/node/node_modules/.bin:$PATH
}

# Debian 12 has Node.js 18. Its npm can fetch the official build of a newer one from the npm registry; it lives in the project's own .cache/.
fetch_node() {
  local platform
  platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed -e 's/x86_64/x64/' -e 's/aarch64/arm64/')
  say "dev: the system's Node.js is older than $node_minimum; a newer one goes into .cache/node"
  long_step "Node.js $node_fetched" \
    npm install --prefix .cache/node --no-audit --no-fund --no-save "node-$platform@$node_fetched" "npm@$npm_fetched" ||
    die "Node.js $node_minimum or newer is needed: https://nodejs.org/en/download"
  use_fetched_node
  hash -r
  has_node || die "the fetched Node.js does not run here ($root/.cache/node); Node.js $node_minimum or newer is needed: https://nodejs.org/en/download"
}

# shellcheck shell=bash
# Which Debian packages each path needs, and how the missing ones are installed. Nothing is asked of apt when all are there.

# To link any Rust program.
debian_build=(build-essential)
# To build and show the window: WebKit, the tray, icons.
debian_window=("${debian_build[@]}" pkg-config libwebkit2gtk-4.1-dev libayatana-appindicator3-dev librsvg2-dev)
# To test it: a display without a screen, a private bus for each app, a driver for its web view, a browser for the page alone,
# Python with environments for tool sidecars.
debian_test=("${debian_window[@]}" git shellcheck xvfb xauth dbus-daemon dbus-x11 webkit2gtk-driver xdotool at-spi2-core fonts-dejavu-core chromium python3 python3-venv zsh fish direnv)

need_debian_packages() {
  local package missing=()
  [ "$(uname -s)" = Linux ] || return 0
  if ! command -v dpkg-query >/dev/null; then
    say "dev: no apt on this system, so nothing is installed. What Debian calls these packages must be there: $*"
    return 0
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] || install_debian_packages "${missing[@]}"
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_debian_packages() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these Debian packages are missing and there is no sudo; as root: apt-get install --no-install-recommends $*"
    say "dev: sudo is needed to install: $*"
    # Asked here, where the question can be seen, and not from inside a step whose output goes to a log.
    sudo -v || die "without sudo, ask somebody to run: apt-get install --no-install-recommends $*"
    as_root=(sudo -n)
  fi
  local install=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@")
  # The lists of a fresh container are empty, those of an old one name versions that are gone.
  long_step "Debian package lists" ${as_root[@]+"${as_root[@]}"} apt-get update ||
    say "dev: the package lists could not be renewed; trying with those that are here"
  say "dev: installing Debian packages: $*"
  long_step "Debian packages" "${install[@]}" || die "apt could not install: $*"
}

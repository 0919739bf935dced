# shellcheck shell=bash
# Making packages for the system that this runs on. What they are made of and how they are checked: packaging/.

# To pack and to check: libraries of programs, manual pages, desktop files, AppStream data, RPM.
debian_packaging=("${debian_window[@]}" binutils dpkg-dev rpm desktop-file-utils appstream lintian)

make_packages() {
  need_debian_packages "${debian_packaging[@]}"
  need_rust
  need_node
  install_npm_packages
  install_bundler
  node packaging/bundle.mjs "$@"
}

# In a folder of its own, since nothing else needs it. Not `npm ci`: the lock file names the systems that a registry had when it was written,
# and each system has a package of its own.
install_bundler() {
  local stamp=packaging/node_modules/.installed-from wanted
  wanted=$(checksum packaging/package-lock.json)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  long_step "npm packages of the bundler" npm install --prefix packaging --no-save --no-audit --no-fund
  printf '%s\n' "$wanted" >"$stamp"
}

# Draws every icon file anew after a change of an SVG.
draw_icons() {
  need_debian_packages librsvg2-bin icoutils
  need_node
  node packaging/icons.mjs
}

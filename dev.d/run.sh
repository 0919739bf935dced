# shellcheck shell=bash
# Starting the product from its sources: the window where there is a display, a session in the terminal where there is none.
# Each path installs only what it needs: the terminal needs no WebKit and no npm packages.

has_display() {
  [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]
}

run() {
  if has_display; then run_window "$@"; else run_terminal "$@"; fi
}

run_window() {
  need_debian_packages "${debian_window[@]}"
  need_rust
  need_node
  install_npm_packages
  build_ui
  build_window
  [ $# -gt 0 ] || set -- "$called_from"
  cd "$called_from" || die "the folder $called_from is gone"
  exec "$root/target/debug/outrigger-desktop" "$@"
}

run_terminal() {
  local workspace=target/demo-workspace
  [ $# -eq 0 ] || say "dev: no display, so the folder is not opened; the demo works in a folder of its own"
  need_debian_packages "${debian_build[@]}"
  need_rust
  need_runtime
  build_command_line
  demo_workspace "$workspace"
  say "No display here, so this is a session of the built-in demo agent in $workspace:"
  say ""
  target/debug/outrigger run --provider demo --permissions allow --cwd "$root/$workspace" \
    "Read this project and write a summary of it." </dev/null
  say ""
  say "Its journal stays: target/debug/outrigger ps --all, then logs ID. With an agent CLI installed: target/debug/outrigger run --provider claude \"…\""
  say "For the window: run ./dev run on a desktop, or here with a virtual display: apt-get install xvfb xauth && xvfb-run ./dev run"
}

# A small project for the demo agent to read, so that it never writes into a folder that matters to somebody.
demo_workspace() {
  rm -rf "$1"
  mkdir -p "$1/src"
  printf '# Lighthouse\n\nA lamp, a lens and a keeper. The lamp turns once in ten seconds.\n' >"$1/README.md"
  printf 'export const secondsPerTurn = 10;\nexport const flashesPerTurn = 2;\n' >"$1/src/lamp.mjs"
  printf 'import { flashesPerTurn, secondsPerTurn } from "./lamp.mjs";\n\nconsole.log(secondsPerTurn / flashesPerTurn, "s between flashes");\n' >"$1/src/main.mjs"
}

run_ui_kit() {
  need_node
  install_npm_packages
  exec npm run --silent ui-kit -- "$@"
}

take_screenshots() {
  need_debian_packages "${debian_test[@]}"
  need_node
  install_npm_packages
  build_ui
  node dev.d/screenshots.mjs "$@"
}

# Real agents at work in tests/fixtures/tides on what tests/fixtures/plays.json lets their models say.
record_sessions() {
  need_debian_packages "${debian_build[@]}"
  need_rust
  need_node
  install_npm_packages
  long_step "agents" node tests/real_clis/install.mjs
  build_command_line
  OUTRIGGER_RECORD=yes cargo test --quiet --package outrigger-tests --test real_clis -- --ignored --exact \
    recording::the_sessions_of_the_pictures
  npx prettier --write --log-level warn ui/src/host/replay/recorded
}

run_doctor() {
  need_debian_packages "${debian_build[@]}"
  need_rust
  use_fetched_node
  build_command_line
  cd "$called_from" || die "the folder $called_from is gone"
  exec "$root/target/debug/outrigger" doctor "$@"
}

run_chaos() {
  need_debian_packages "${debian_build[@]}"
  need_rust
  need_runtime
  case " $* " in
    *\ --window\ *)
      need_debian_packages "${debian_test[@]}"
      need_node
      install_npm_packages
      build_ui
      build_window
      ;;
    *) build_command_line ;;
  esac
  long_step "chaos harness" cargo build --package outrigger-tests --bin chaos
  exec target/debug/chaos "$@"
}

run_bench() {
  if [ "${1:-}" = instructions ]; then
    count_instructions "${@:2}"
    return
  fi
  need_debian_packages "${debian_build[@]}"
  need_rust
  need_node
  install_npm_packages
  build_ui
  long_step "release build" cargo build --release --package outrigger-cli --package outrigger-desktop \
    --package outrigger-bare-window
  cargo bench --package outrigger-tests --bench budgets -- "$@"
}

# What each hot path takes for a line, as valgrind counts it, beside what was last accepted.
count_instructions() {
  need_debian_packages "${debian_build[@]}" valgrind
  need_rust
  cargo bench --package outrigger-tests --bench instructions -- "$@"
}

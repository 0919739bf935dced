# shellcheck shell=bash
# What `./dev test` and `./dev check` run, in which order, and the table at their end. A step that fails does not stop the others,
# except those that cannot run without it. One build profile and one feature set, so that nothing is compiled twice.

# Steps of `./dev test`: name, and what it needs to have passed ("-" for nothing).
# From quick to slow; the page is built before Rust, which embeds it.
test_steps="
format -
shell -
ui-lint -
ui-check -
ui-unit -
ui-build -
runners -
clippy ui-build
build ui-build
rust build
architecture build
browser ui-build
scenarios build
chaos build
real-clis build
desktop build
"

# Only when they are named: they need root and packages of their own, and take a quarter of an hour.
steps_on_demand="
packages -
"

step_names() { awk 'NF { printf "%s ", $1 }' <<<"$test_steps"; }
step_names_on_demand() { awk 'NF { printf "%s ", $1 }' <<<"$steps_on_demand"; }

run_tests() {
  local wanted=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    if [ "$1" = --clis ]; then
      drive_clis "${2:-}"
      shift 2
      continue
    fi
    [[ " $(step_names)$(step_names_on_demand) " == *" $1 "* ]] ||
      die "no such step: $1. Steps: $(step_names); only when named: $(step_names_on_demand)"
    wanted+=("$1")
    shift
  done
  [ $# -eq 0 ] || shift
  set_up_for_tests
  if [ ${#wanted[@]} -eq 0 ]; then
    # shellcheck disable=SC2046 # the names are words
    set -- $(step_names)
  else
    step_arguments=("$@")
    set -- "${wanted[@]}"
    build_what_is_tested "$@"
  fi
  run_steps "$@"
}

# Arguments that add the tests of the agents that are large or slow to install.
whole_table=()

drive_clis() {
  [ "$1" = all ] || die "there is only --clis all; without it claude and codex are driven"
  export OUTRIGGER_TEST_CLIS=all
  if has_nextest; then whole_table=(--run-ignored all); else whole_table=(-- --include-ignored); fi
}

# For a step that was named alone: its tests must not start yesterday's programs.
build_what_is_tested() {
  case " $* " in *\ scenarios\ * | *\ chaos\ * | *\ real-clis\ * | *\ desktop\ *) ;; *) return 0 ;; esac
  build_ui
  build_window
  long_step "chaos harness" cargo build --package outrigger-tests --bin chaos
}

run_checks() {
  set_up_for_tests
  run_steps format shell ui-lint ui-check ui-build clippy architecture
}

set_up_for_tests() {
  need_debian_packages "${debian_test[@]}"
  need_rust
  need_rust_part fmt rustfmt
  need_rust_part clippy clippy
  need_node
  install_npm_packages
  # Types are generated while tests run; the ones in the tree change only by `./dev types`.
  export TS_RS_EXPORT_DIR=$root/target/generated-types
  tree_before=$(tree_state)
}

# Arguments behind `--`, for the one or more steps that were named.
step_arguments=()
# One line for each step that ran: result, seconds, name.
step_results=""

run_steps() {
  local name started=$SECONDS
  for name in "$@"; do
    run_step "$name"
  done
  [ -z "${CI:-}" ] || tree_is_unchanged || step_results+="failed 0 clean-tree"$'\n'
  say ""
  awk 'NF { printf "  %-14s %5d s  %s\n", $3, $2, $1 }' <<<"$step_results" >&2
  if grep -q -E '^(failed|not-run)' <<<"$step_results"; then
    say "failed after $((SECONDS - started)) s: $(awk '/^(failed|not-run)/ { printf "%s ", $3 }' <<<"$step_results")"
    return 1
  fi
  say "all passed in $((SECONDS - started)) s"
}

run_step() {
  local name=$1 needs status started=$SECONDS result=passed
  needs=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$test_steps$steps_on_demand")
  if grep -q -E "^(failed|not-run) [0-9]+ $needs\$" <<<"$step_results"; then
    say "== $name: not run, $needs failed"
    step_results+="not-run 0 $name"$'\n'
    return
  fi
  say "== $name"
  # In a shell of its own, so that a failing command ends the step and not the run. Not as part of a condition: there, bash
  # would go on after the failing command.
  set +e
  (
    set -e
    "step_${name//-/_}" ${step_arguments[@]+"${step_arguments[@]}"}
  ) </dev/null
  status=$?
  set -e
  [ "$status" -eq 0 ] || result=failed
  step_results+="$result $((SECONDS - started)) $name"$'\n'
}

step_format() { cargo fmt --all --check; }
step_shell() { shellcheck --external-sources --check-sourced dev .ci/run; }
step_ui_lint() { npm run --silent lint; }
step_ui_check() { npm run --silent check; }
step_ui_unit() { npm test --silent -- "$@"; }
step_ui_build() { build_ui; }
step_browser() {
  test_files tests/ui >/dev/null
  npm run --silent test:ui -- "$@"
}
step_runners() {
  local file files=()
  while IFS= read -r file; do files+=("$file"); done < <(test_files runners)
  [ ${#files[@]} -gt 0 ] || return 1
  node --test --test-reporter=spec "$@" "${files[@]}"
}

# The JavaScript tests below a folder. Having none is a failure, because a test tool without files reports success.
test_files() {
  local files
  files=$(find "$1" -name node_modules -prune -o -name '*.test.mjs' -print | sort)
  [ -n "$files" ] || die "there are no tests in $1"
  printf '%s\n' "$files"
}

step_clippy() { cargo clippy --workspace --all-targets -- --deny warnings; }
step_build() { long_step "all programs and tests" cargo build --workspace --all-targets; }
step_rust() {
  test_rust 'not package(outrigger-tests)' --workspace --exclude outrigger-tests -- "$@"
  # nextest leaves out the examples in the documentation.
  ! has_nextest || long_step "examples in the documentation" cargo test --workspace --doc
}
step_architecture() {
  test_rust 'package(outrigger-tests) & (kind(lib) | binary(architecture))' \
    --package outrigger-tests --lib --test architecture -- "$@"
}
step_scenarios() { test_folder scenarios "$@"; }
# The same plan each time; `./dev chaos` takes any other, and any length.
step_chaos() { target/debug/chaos --seed 42 --sessions 20 --seconds 60 "$@"; }
step_real_clis() {
  node tests/real_clis/install.mjs >/dev/null
  node tests/real_clis/mcp_servers.mjs >/dev/null
  rm -rf target/real-clis-table
  # The table is worth most when a test has failed. A step has a shell of its own, so the trap is the step's.
  trap 'node tests/real_clis/table.mjs target/real-clis-table' EXIT
  test_folder real_clis ${whole_table[@]+"${whole_table[@]}"} "$@"
}
step_desktop() { test_folder desktop "$@"; }
# Takes the packages that `./dev bundle` has made.
step_packages() {
  need_debian_packages debootstrap python3-gi gir1.2-glib-2.0 x11-utils imagemagick "${debian_packaging[@]}"
  install_bundler
  # Only a debug build can be told where updates are.
  build_ui
  build_window
  node --test --test-reporter=spec "$@" tests/packages/*.test.mjs
}

# test_folder FOLDER ARGUMENTS…: the Rust tests whose sources are in that folder of tests/.
test_folder() {
  local folder=$1 target names=() filter=""
  shift
  for target in $(test_targets "$folder"); do
    [ "$target" = --test ] || names+=("$target")
  done
  [ ${#names[@]} -gt 0 ] || die "there are no tests in tests/$folder"
  for target in "${names[@]}"; do filter+="${filter:+ | }binary($target)"; done
  # shellcheck disable=SC2046 # the targets are words
  test_rust "package(outrigger-tests) & ($filter)" --package outrigger-tests $(test_targets "$folder") -- "$@"
}

test_targets() { cargo metadata --no-deps --format-version 1 | node dev.d/test_targets.mjs "$1"; }

has_nextest() { cargo nextest --version >/dev/null 2>&1; }

# test_rust FILTER SELECTION… -- ARGUMENTS…: with nextest where it is installed (it shows which test is slow), with cargo's own
# runner elsewhere. nextest is given the whole workspace and a filter: selecting packages would select other features of their
# dependencies, and compile everything a second time.
test_rust() {
  local filter=$1 selection=()
  shift
  while [ "$1" != -- ]; do
    selection+=("$1")
    shift
  done
  shift
  if has_nextest; then
    cargo nextest run --no-fail-fast --workspace --filterset "$filter" "$@"
  else
    cargo test --no-fail-fast "${selection[@]}" "$@"
  fi
}

tree_state() { git status --porcelain 2>/dev/null || true; }

tree_is_unchanged() {
  local now
  now=$(tree_state)
  [ "$now" = "$tree_before" ] && return
  say "== clean-tree: the run left these in the tree:"
  diff <(printf '%s\n' "$tree_before") <(printf '%s\n' "$now") >&2 || true
  return 1
}

# The generated files that nothing generates any more go too.
write_types() {
  need_debian_packages "${debian_build[@]}"
  need_rust
  rm -rf target/generated-types
  long_step "TypeScript of the wire types" env TS_RS_EXPORT_DIR="$root/target/generated-types" \
    cargo test --package outrigger-protocol --lib export_bindings
  rm -rf ui/src/protocol
  cp -R target/generated-types ui/src/protocol
  git status --short ui/src/protocol
}

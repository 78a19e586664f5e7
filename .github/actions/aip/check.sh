#!/usr/bin/env bash
# Lints passports, then verifies intents. Ends with the exit code of the first that failed: `aip help exit-codes`.
set -uo pipefail
export AIP_HOME="${AIP_HOME:-$RUNNER_TEMP/aip-home}"
mkdir -p -m 700 "$AIP_HOME"

arguments=()
# Each line of $2 as one argument, behind the flag $1 unless that is empty.
add() {
  local line
  while IFS= read -r line; do
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    [ -n "$line" ] || continue
    if [ -n "$1" ]; then arguments+=("$1=$line"); else arguments+=("$line"); fi
  done <<<"$2"
}

code=0
# The first failure is the step's; what follows is still told.
run() { "$@" || { local end=$?; [ "$code" -ne 0 ] || code=$end; }; }
[ -z "$AIP_ACTION_SARIF" ] || mkdir -p "$AIP_ACTION_SARIF"

if [ -n "${AIP_ACTION_LINT//[[:space:]]/}" ]; then
  arguments=(passport lint --no-input)
  case "$AIP_ACTION_FAIL_ON_WARNING" in
    true) arguments+=(--fail-on-warning) ;;
    false) ;;
    *) echo "error: fail-on-warning is true or false." >&2; exit 2 ;;
  esac
  arguments+=(--format=github --)
  add '' "$AIP_ACTION_LINT"
  run aip "${arguments[@]}"
  [ -z "$AIP_ACTION_SARIF" ] || aip "${arguments[@]/#--format=github/--format=sarif}" >"$AIP_ACTION_SARIF/lint.sarif" || true
fi

if [ -n "${AIP_ACTION_VERIFY//[[:space:]]/}" ]; then
  arguments=(intent verify --no-input)
  add --passport "$AIP_ACTION_PASSPORT"
  add --principal-key "$AIP_ACTION_PRINCIPAL"
  add --min-serial "$AIP_ACTION_MIN_SERIAL"
  flags=("${arguments[@]}")
  # Before the run that counts, and without spending what that one spends.
  if [ -n "$AIP_ACTION_SARIF" ]; then
    arguments=("${flags[@]}" --dry-run --format=sarif --)
    add '' "$AIP_ACTION_VERIFY"
    aip "${arguments[@]}" >"$AIP_ACTION_SARIF/verify.sarif" || true
  fi
  arguments=("${flags[@]}" --format=github --)
  add '' "$AIP_ACTION_VERIFY"
  run aip "${arguments[@]}"
fi

if [ -z "${AIP_ACTION_LINT//[[:space:]]/}${AIP_ACTION_VERIFY//[[:space:]]/}" ]; then
  # Nothing asked is not a yes.
  echo 'error: neither lint nor verify names a file.' >&2
  exit 2
fi
exit "$code"

#!/usr/bin/env bash
# Installs the Debian packages and npm modules that the tests need and that are missing. Services
# are not started; what the machine said about starting services stands again afterwards.
set -euo pipefail

packages=(
  redis-server nginx libnginx-mod-stream haproxy mosquitto mosquitto-clients
  libpaho-mqtt-dev python3-paho-mqtt chromium prometheus
  iproute2 iptables procps openssl docker-compose faketime strace
)
policy=/usr/sbin/policy-rc.d
kept=/usr/sbin/policy-rc.d.kept-by-trunkline
modules="$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/System.Tests/npm" && pwd)"

is_installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    is_installed "$package" || echo "$package"
  done
  # Node comes from many sources: what counts is that the commands are there.
  command -v node >/dev/null 2>&1 || echo nodejs
  command -v npm >/dev/null 2>&1 || echo npm
}

restore_policy() {
  if [[ -e "$kept" ]]; then
    mv -f "$kept" "$policy"
  elif grep -qs 'Trunkline tests' "$policy"; then
    rm -f "$policy"
  fi
}

# A policy that forbids every start already (101) is left alone.
forbid_starts() {
  local answer=0
  if [[ -x "$policy" ]]; then
    "$policy" trunkline-probe start >/dev/null 2>&1 || answer=$?
    [[ "$answer" == 101 ]] && return
  fi
  if [[ -e "$policy" ]]; then
    cp -p "$policy" "$kept" || return 1
  fi
  printf '%s\n' '#!/bin/sh' '# Trunkline tests: packages are installed, their services are not started.' 'exit 101' >"$policy.new" &&
    chmod 755 "$policy.new" &&
    mv -f "$policy.new" "$policy"
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} -eq 0 ]] && return

  if [[ "$(id -u)" != 0 ]]; then
    echo "test-packages: only root can install what is missing: apt-get install ${missing[*]}" >&2
    return 1
  fi

  policy_is_ours=yes
  forbid_starts || return 1
  echo "test-packages: installing ${missing[*]} ..." >&2
  if ! { apt-get -o DPkg::Lock::Timeout=300 update &&
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 9>&- </dev/null; then
    tail -n 30 "$log" >&2
    echo "test-packages: apt-get failed; its last lines stand above." >&2
    return 1
  fi
}

# Exactly what the lock file says, scripts of the packages not run.
install_modules() {
  [[ "$modules/node_modules/.package-lock.json" -nt "$modules/package-lock.json" ]] && return
  echo "test-packages: installing npm modules ..." >&2
  if ! (cd "$modules" && npm ci --ignore-scripts) >"$log" 2>&1 9>&- </dev/null; then
    tail -n 30 "$log" >&2
    echo "test-packages: npm ci failed; its last lines stand above." >&2
    return 1
  fi
}

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "test-packages: this is not Debian; have these programs on PATH yourself: ${packages[*]} nodejs npm" >&2
  exit 1
fi

log="$(mktemp /tmp/trunkline-packages.XXXXXX)"
finish() {
  [[ -z "$policy_is_ours" ]] || restore_policy
  rm -f "$log"
}
policy_is_ours=
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Two suites at once install one after the other, also when they are of two clones.
lock="$modules/.install.lock"
if [[ "$(id -u)" == 0 ]]; then
  mkdir -p /run/lock
  lock=/run/lock/trunkline-packages.lock
fi
exec 9>"$lock"
flock 9
[[ "$(id -u)" != 0 ]] || restore_policy # after a run that was killed outright
export DEBIAN_FRONTEND=noninteractive
failed=0
install_packages || failed=1
install_modules || failed=1
exit "$failed"
